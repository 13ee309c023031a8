// SPDX-License-Identifier: Apache-2.0
#include "go_edits.hpp"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "sources/go/binary/go_binary.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit_test {
namespace {

using mapaudit::sources::GoBinary;
using mapaudit::sources::GoFunction;

constexpr std::size_t edit_bytes = 5;

[[noreturn]] void die(const std::string& what) {
    std::fprintf(stderr, "go resolver: %s\n", what.c_str());
    std::abort();
}

// A whole program, and the places in it where what is read first stands.
struct Program {
    explicit Program(const char* name) {
        const std::string path = std::string(GO_PROGRAMS) + "/" + name;
        std::ifstream file(path, std::ios::binary);
        bytes = {std::istreambuf_iterator<char>(file), {}};
        if (bytes.size() < sizeof(Elf64_Ehdr)) die("cannot read " + path);
        Elf64_Ehdr header;
        std::memcpy(&header, bytes.data(), sizeof header);
        const auto find = [&](const std::string& what) { return std::min(bytes.find(what), bytes.size() - 1); };
        places = {0, header.e_shoff, find(std::string("\xf1\xff\xff\xff\0\0\1", 7)),
                  find(std::string("\xff Go buildinf:")), 0};
        if (places[2] == bytes.size() - 1) places[2] = find(std::string("\xf0\xff\xff\xff\0\0\1", 7));
    }
    std::string bytes;
    std::array<std::size_t, 5> places{};
};

// The last place is the whole file, in steps.
void edit(const Program& program, std::string& bytes, std::span<const std::uint8_t, edit_bytes> how) {
    const std::size_t place = how[0] % program.places.size(), offset = how[1] + 256u * how[2];
    const std::size_t step = place + 1 == program.places.size() ? bytes.size() / 65536 + 1 : 1;
    const std::size_t at = program.places[place] + offset * step;
    if (at + 8 > bytes.size()) return;
    std::uint64_t word;
    std::memcpy(&word, &bytes[at], sizeof word);
    switch (how[3] % 4) {
        case 0: word = (word & ~std::uint64_t{0xff}) | how[4]; break;
        case 1: word = 0x0101010101010101u * how[4]; break;
        case 2: word += static_cast<std::uint64_t>(static_cast<std::int8_t>(how[4])); break;
        default: word ^= std::uint64_t{1} << how[4] % 64;
    }
    std::memcpy(&bytes[at], &word, sizeof word);
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
    static const std::array programs{Program("plain"), Program("plain_bare"), Program("pie_bare")};
    if (script.empty()) return 0;
    const Program& program = programs[script[0] % programs.size()];
    std::string bytes = program.bytes;
    for (script = script.subspan(1); script.size() >= edit_bytes; script = script.subspan(edit_bytes))
        edit(program, bytes, script.first<edit_bytes>());
    const mapaudit::UniqueFd file(::memfd_create("go_edits", MFD_CLOEXEC));
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t written = ::write(file.get(), bytes.data() + done, bytes.size() - done);
        if (written <= 0) die("cannot write the edited program");
        done += static_cast<std::size_t>(written);
    }
    const auto binary = GoBinary::read("/proc/self/fd/" + std::to_string(file.get()));
    if (!binary && binary.error().what.empty()) die("an error that says nothing");
    return binary && *binary ? ask(**binary, bytes.size()) : 0;
}

}  // namespace mapaudit_test
