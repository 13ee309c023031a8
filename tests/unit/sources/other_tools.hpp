// SPDX-License-Identifier: Apache-2.0
//
// What binutils say of a program: the answers that the resolver's are compared with.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace mapaudit::sources {

inline std::string go_program(const std::string& name) { return std::string(GO_PROGRAMS) + "/" + name; }

// The number of the line of programs/maps.go that ends with "// line: <mark>"; 0: none does.
int line_marked(const std::string& mark);

// Symbols by name, as `nm` lists them; those of functions only.
std::map<std::string, std::uint64_t> symbols_by_nm(const std::string& program);
std::map<std::string, std::uint64_t> functions_by_nm(const std::string& program);

// As `objdump -d` prints it, without the bytes.
struct Disassembled {
    std::uint64_t address = 0;
    std::string mnemonic, operands;
};
// The instructions of [from, to).
std::vector<Disassembled> disassembly(const std::string& program, std::uint64_t from, std::uint64_t to);

struct SourceLine {
    std::string function, file;
    int line = 0;
    bool operator==(const SourceLine&) const = default;
    friend void PrintTo(const SourceLine& source, std::ostream* out) {
        *out << source.function << ' ' << source.file << ':' << source.line;
    }
};
// What the program's DWARF says of each address: the innermost function by libdw, file and line by addr2line. A line
// that is not known is 0.
std::vector<SourceLine> lines_by_dwarf(const std::string& program, const std::vector<std::uint64_t>& addresses);

// The offset of a member of a struct; -1: DWARF does not describe it.
std::int64_t member_offset_by_dwarf(const std::string& program, const std::string& type, const std::string& member);

}  // namespace mapaudit::sources
