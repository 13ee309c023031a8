// SPDX-License-Identifier: Apache-2.0
#include "go_edits.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "file_edits.hpp"
#include "sources/go/binary/go_binary.hpp"

namespace mapaudit_test {
namespace {

using mapaudit::sources::GoBinary;
using mapaudit::sources::GoFunction;

// A program, and the places in it where what is read first stands.
EditedFile go_program(const char* name) {
    EditedFile file{whole_program(std::string(GO_PROGRAMS) + "/" + name), {}};
    const std::string& bytes = file.bytes;
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    const auto find = [&](const std::string& what) { return std::min(bytes.find(what), bytes.size() - 1); };
    file.places = {0, header.e_shoff, find(std::string("\xf1\xff\xff\xff\0\0\1", 7)),
                   find(std::string("\xff Go buildinf:")), 0};
    if (file.places[2] == bytes.size() - 1) file.places[2] = find(std::string("\xf0\xff\xff\xff\0\0\1", 7));
    return file;
}

std::size_t ask(const GoBinary& binary, std::size_t size) {
    for (const GoFunction& function : binary.functions()) {
        if (function.probe_offset >= size) die("a probe of " + function.name + " outside of the file");
        if (std::any_of(function.returns.begin(), function.returns.end(), [&](auto at) { return at >= size; }))
            die("a return of " + function.name + " outside of the file");
        if (!std::is_sorted(function.returns.begin(), function.returns.end())) die("returns in disorder");
        if (const auto offset = binary.file_offset(function.entry); offset && *offset >= size)
            die("the entry of " + function.name + " outside of the file");
        binary.line_of(function.entry);
    }
    return binary.functions().size();
}

}  // namespace

std::size_t run_go_edits(std::span<const std::uint8_t> script) {
    static const std::array programs{go_program("plain"), go_program("plain_bare"), go_program("pie_bare")};
    if (script.empty()) return 0;
    const std::string bytes = edited(programs[script[0] % programs.size()], script.subspan(1));
    const mapaudit::UniqueFd file = memory_file(bytes);
    const auto binary = GoBinary::read("/proc/self/fd/" + std::to_string(file.get()));
    if (!binary && binary.error().what.empty()) die("an error that says nothing");
    return binary && *binary ? ask(**binary, bytes.size()) : 0;
}

}  // namespace mapaudit_test
