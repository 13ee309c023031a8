// SPDX-License-Identifier: Apache-2.0
//
// Bytes as a script of edits to a file: what the bodies of the fuzzers of parsers have in common.
//
//   byte 0 of an edit  place (mod their number)   bytes 1, 2  offset from it   byte 3  what (mod 4)   byte 4  value
#ifndef MAPAUDIT_TESTS_FUZZ_FILE_EDITS_HPP
#define MAPAUDIT_TESTS_FUZZ_FILE_EDITS_HPP

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "util/unique_fd.hpp"

namespace mapaudit_test {

// A whole file, and the places in it that are edited. The last one is all of it, in steps.
struct EditedFile {
    std::string bytes;
    std::vector<std::size_t> places;
};

// The contents of a file; aborts with a line where it cannot be read, or is no ELF file.
std::string whole_program(const std::string& path);

// The file after the edits of a script; an edit that is cut short, or would go beyond the file's end, does nothing.
std::string edited(const EditedFile& file, std::span<const std::uint8_t> script);

// A file in memory with that content.
mapaudit::UniqueFd memory_file(const std::string& bytes);

// Aborts with a line: what a driver takes for a find.
[[noreturn]] void die(const std::string& what);

}  // namespace mapaudit_test

#endif
