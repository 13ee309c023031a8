// SPDX-License-Identifier: Apache-2.0
#include "file_edits.hpp"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace mapaudit_test {
namespace {

constexpr std::size_t edit_bytes = 5;

void edit(const std::vector<std::size_t>& places, std::string& bytes, std::span<const std::uint8_t, edit_bytes> how) {
    const std::size_t place = how[0] % places.size(), offset = how[1] + 256u * how[2];
    const std::size_t step = place + 1 == places.size() ? bytes.size() / 65536 + 1 : 1;
    const std::size_t at = places[place] + offset * step;
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

}  // namespace

void die(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::abort();
}

std::string whole_program(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < sizeof(Elf64_Ehdr) || bytes.compare(0, SELFMAG, ELFMAG) != 0) die("no program: " + path);
    return bytes;
}

std::string edited(const EditedFile& file, std::span<const std::uint8_t> script) {
    std::string bytes = file.bytes;
    for (; script.size() >= edit_bytes; script = script.subspan(edit_bytes))
        edit(file.places, bytes, script.first<edit_bytes>());
    return bytes;
}

mapaudit::UniqueFd memory_file(const std::string& bytes) {
    mapaudit::UniqueFd file(::memfd_create("edited", MFD_CLOEXEC));
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t written = ::write(file.get(), bytes.data() + done, bytes.size() - done);
        if (written <= 0) die("cannot write the edited program");
        done += static_cast<std::size_t>(written);
    }
    return file;
}

}  // namespace mapaudit_test
