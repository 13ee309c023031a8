// SPDX-License-Identifier: Apache-2.0
#include "unit/sources/other_tools.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "support/child.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::sources {
namespace {

std::string output_of(const std::vector<std::string>& command) {
    const test::Finished finished = test::run(command);
    EXPECT_EQ(finished.exit_code, 0) << command[0] << ": " << finished.err;
    return finished.out;
}

std::map<std::string, std::uint64_t> list(const std::string& program, const std::string& kinds) {
    std::map<std::string, std::uint64_t> symbols;
    std::istringstream lines(output_of({MAPAUDIT_NM, program}));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string address, kind, name;
        if (line.starts_with(' ') || !(fields >> address >> kind)) continue;  // undefined ones have no address
        if (!kinds.empty() && kinds.find(kind) == std::string::npos) continue;
        std::getline(fields >> std::ws, name);
        symbols[name] = std::stoull(address, nullptr, 16);
    }
    return symbols;
}

class OpenDwarf {
public:
    explicit OpenDwarf(const std::string& program)
        : fd_(::open(program.c_str(), O_RDONLY | O_CLOEXEC)), dwarf_(dwarf_begin(fd_.get(), DWARF_C_READ), &dwarf_end) {
        EXPECT_NE(dwarf_, nullptr) << program;
        std::size_t header = 0;
        for (Dwarf_Off at = 0, next = 0; dwarf_nextcu(dwarf_.get(), at, &next, &header, nullptr, nullptr, nullptr) == 0;
             at = next) {
            Dwarf_Die unit;
            if (dwarf_offdie(dwarf_.get(), at + header, &unit) != nullptr) units_.push_back(unit);
        }
    }
    const std::vector<Dwarf_Die>& units() const { return units_; }
    // Go writes no .debug_aranges, which dwarf_addrdie would want.
    std::optional<Dwarf_Die> unit_of(std::uint64_t address) const {
        for (Dwarf_Die unit : units_)
            if (dwarf_haspc(&unit, address) == 1) return unit;
        return {};
    }

private:
    UniqueFd fd_;
    std::unique_ptr<Dwarf, decltype(&dwarf_end)> dwarf_;
    std::vector<Dwarf_Die> units_;
};

// The innermost function round an address, inlined or not, below a scope that it lies in. Not by dwarf_getscopes, which
// finds, and leaks, nothing where a function was inlined from another unit.
std::string function_round(Dwarf_Die scope, std::uint64_t address) {
    Dwarf_Die child;
    for (int left = dwarf_child(&scope, &child); left == 0; left = dwarf_siblingof(&child, &child)) {
        if (dwarf_haspc(&child, address) != 1) continue;
        if (std::string inner = function_round(child, address); !inner.empty()) return inner;
        const int tag = dwarf_tag(&child);
        if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram) continue;
        Dwarf_Attribute attribute;
        const char* text = dwarf_formstring(dwarf_attr_integrate(&child, DW_AT_name, &attribute));
        return text != nullptr ? text : "";
    }
    return {};
}

// Binutils' addr2line does not know the names of inlined Go functions.
std::string innermost_function(const OpenDwarf& dwarf, std::uint64_t address) {
    const auto unit = dwarf.unit_of(address);
    std::string name = unit ? function_round(*unit, address) : "";
    // The linker writes type arguments into DWARF only, and "..." into the runtime's table.
    const std::size_t open = name.find('['), close = name.rfind(']');
    if (open != std::string::npos && close != std::string::npos) name.replace(open + 1, close - open - 1, "...");
    return name;
}

std::int64_t member_offset(Dwarf_Die type, const std::string& member) {
    Dwarf_Die child;
    for (int left = dwarf_child(&type, &child); left == 0; left = dwarf_siblingof(&child, &child)) {
        Dwarf_Attribute attribute;
        Dwarf_Word offset = 0;
        if (dwarf_diename(&child) == nullptr || dwarf_diename(&child) != member) continue;
        if (dwarf_attr(&child, DW_AT_data_member_location, &attribute) != nullptr &&
            dwarf_formudata(&attribute, &offset) == 0)
            return static_cast<std::int64_t>(offset);
    }
    return -1;
}

}  // namespace

int line_marked(const std::string& mark) {
    std::ifstream source(MAPAUDIT_TEST_DATA "/programs/maps.go");
    int number = 1;
    for (std::string line; std::getline(source, line); ++number)
        if (line.ends_with("// line: " + mark)) return number;
    return 0;
}

std::map<std::string, std::uint64_t> symbols_by_nm(const std::string& program) { return list(program, ""); }
std::map<std::string, std::uint64_t> functions_by_nm(const std::string& program) { return list(program, "tT"); }

std::vector<Disassembled> disassembly(const std::string& program, std::uint64_t from, std::uint64_t to) {
    std::vector<Disassembled> found;
    std::istringstream lines(
        output_of({MAPAUDIT_OBJDUMP, "-d", "--no-show-raw-insn", fmt::format("--start-address={:#x}", from),
                   fmt::format("--stop-address={:#x}", to), program}));
    for (std::string line; std::getline(lines, line);) {
        const std::size_t colon = line.find(":\t");
        if (colon == std::string::npos) continue;
        std::istringstream fields(line.substr(colon + 2));
        Disassembled instruction;
        instruction.address = std::stoull(line.substr(0, colon), nullptr, 16);
        fields >> instruction.mnemonic;
        std::getline(fields >> std::ws, instruction.operands);
        found.push_back(instruction);
    }
    return found;
}

std::vector<SourceLine> lines_by_dwarf(const std::string& program, const std::vector<std::uint64_t>& addresses) {
    std::vector<std::string> command{MAPAUDIT_ADDR2LINE, "-e", program};
    for (const std::uint64_t address : addresses) command.push_back(fmt::format("{:#x}", address));
    std::istringstream lines(output_of(command));
    const OpenDwarf dwarf(program);
    std::vector<SourceLine> found;
    for (std::string line; std::getline(lines, line) && found.size() < addresses.size();) {
        line = line.substr(0, line.find(" (discriminator"));
        if (line.starts_with("./")) line = line.substr(2);  // generated code: addr2line gives it a folder
        const std::size_t colon = line.rfind(':');
        found.push_back({innermost_function(dwarf, addresses[found.size()]), line.substr(0, colon),
                         std::atoi(line.c_str() + colon + 1)});
    }
    return found;
}

std::int64_t member_offset_by_dwarf(const std::string& program, const std::string& type, const std::string& member) {
    const OpenDwarf dwarf(program);
    for (Dwarf_Die unit : dwarf.units()) {
        Dwarf_Die child;
        for (int left = dwarf_child(&unit, &child); left == 0; left = dwarf_siblingof(&child, &child))
            if (dwarf_tag(&child) == DW_TAG_structure_type && dwarf_diename(&child) != nullptr &&
                dwarf_diename(&child) == type)
                return member_offset(child, member);
    }
    return -1;
}

}  // namespace mapaudit::sources
