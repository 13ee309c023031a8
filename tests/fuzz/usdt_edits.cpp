// SPDX-License-Identifier: Apache-2.0
#include "usdt_edits.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "file_edits.hpp"
#include "sources/usdt/usdt_notes.hpp"
#include "unit/sources/elf_file.hpp"

namespace mapaudit_test {
namespace {

using mapaudit::sources::ElfProbes;
using mapaudit::sources::ProbeSite;

constexpr std::size_t head_bytes = 3;

EditedFile probed_program(const char* name) {
    EditedFile file{whole_program(std::string(PROBED_PROGRAMS) + "/" + name), {}};
    const auto header = read_at<Elf64_Ehdr>(file.bytes, 0);
    file.places = {0, header.e_phoff, header.e_shoff};
    for (const char* section : {".note.stapsdt", ".note.mapaudit", ".stapsdt.base", ".shstrtab"}) {
        const std::size_t at = section_header(file.bytes, section);
        if (at == 0) die(std::string("no section ") + section + " in " + name);
        file.places.push_back(at);
        file.places.push_back(std::min<std::size_t>(read_at<Elf64_Shdr>(file.bytes, at).sh_offset, file.bytes.size()));
    }
    file.places.push_back(0);
    return file;
}

std::size_t ask(const ElfProbes& probes, std::size_t bytes) {
    std::set<std::pair<std::string, std::uint64_t>> known;
    for (const ProbeSite& site : probes.sites) {
        if (site.offset >= bytes) die("a site of " + site.name + " outside of the file");
        if (site.semaphore_offset != 0 && site.semaphore_offset + 2 > bytes)
            die("a semaphore of " + site.name + " outside of the file");
        if (site.name.find('\0') != std::string::npos) die("a name that does not end where it ends");
        if (!known.insert({site.name, site.offset}).second) die("the same site of " + site.name + " twice");
    }
    if (probes.first_load_offset > bytes) die("code outside of the file");
    return probes.sites.size();
}

}  // namespace

std::size_t run_usdt_edits(std::span<const std::uint8_t> script) {
    static const std::array programs{probed_program("fuzz_probed_pie"), probed_program("fuzz_probed_fixed")};
    if (script.size() < head_bytes) return 0;
    const EditedFile& program = programs[script[0] % programs.size()];
    std::string bytes = edited(program, script.subspan(head_bytes));
    bytes.resize(bytes.size() - bytes.size() * (script[1] + 256u * script[2]) / 65536);
    const mapaudit::UniqueFd file = memory_file(bytes);
    const auto probes = mapaudit::sources::read_probes(file.get(), "the edited program");
    if (!probes && probes.error().what.empty()) die("an error that says nothing");
    return probes ? ask(*probes, bytes.size()) : 0;
}

}  // namespace mapaudit_test
