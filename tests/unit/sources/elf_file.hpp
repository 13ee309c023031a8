// SPDX-License-Identifier: Apache-2.0
//
// Where the parts of a whole ELF file stand, for tests that damage them: read without a check, of files that need none.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace mapaudit_test {

template <class T>
T read_at(const std::string& bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

// The place of a section's header in the file; 0: it has none of that name.
inline std::size_t section_header(const std::string& bytes, const std::string& name) {
    const auto header = read_at<Elf64_Ehdr>(bytes, 0);
    const auto place = [&](std::size_t index) { return header.e_shoff + index * sizeof(Elf64_Shdr); };
    const auto names = read_at<Elf64_Shdr>(bytes, place(header.e_shstrndx));
    for (std::size_t i = 0; i < header.e_shnum; ++i)
        if (bytes.data() + names.sh_offset + read_at<Elf64_Shdr>(bytes, place(i)).sh_name == name) return place(i);
    return 0;
}

}  // namespace mapaudit_test
