// SPDX-License-Identifier: Apache-2.0
#include "symbols/compile_units.hpp"

#include <dwarf.h>

#include <algorithm>

namespace mapaudit::symbols {
namespace {

constexpr std::size_t most_ranges = 4'000'000;  // of damaged tables that have no end

void use_split_tree(CompileUnits::Unit& unit) {
    std::uint8_t type = 0;
    Dwarf_Die split;
    if (dwarf_cu_info(unit.lines.cu, nullptr, &type, nullptr, &split, nullptr, nullptr, nullptr) == 0 &&
        type == DW_UT_skeleton && dwarf_tag(&split) != DW_TAG_invalid)
        unit.tree = split;
}

}  // namespace

const std::vector<CompileUnits::Range>& CompileUnits::ranges_of(Dwfl_Module* module) {
    const auto [slot, is_new] = ranges_.try_emplace(module);
    std::vector<Range>& ranges = slot->second;
    if (!is_new) return ranges;
    Dwarf_Addr bias = 0;
    for (Dwarf_Die* unit = nullptr;
         (unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr && ranges.size() < most_ranges;) {
        Dwarf_Addr base = 0, start = 0, end = 0;
        for (std::ptrdiff_t at = 0;
             (at = dwarf_ranges(unit, at, &base, &start, &end)) > 0 && ranges.size() < most_ranges;)
            ranges.push_back({start, end, dwarf_dieoffset(unit)});
    }
    std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.start < b.start; });
    return ranges;
}

bool CompileUnits::find(Dwfl_Module* module, std::uint64_t address, Unit& unit) {
    Dwarf_Addr bias = 0;
    Dwarf* debug = dwfl_module_getdwarf(module, &bias);
    if (debug == nullptr) return false;
    unit.address = address - bias;
    if (const Dwarf_Die* found = dwfl_module_addrdie(module, address, &bias)) {
        unit.lines = *found;
    } else {
        const auto& ranges = ranges_of(module);
        const auto behind = std::upper_bound(ranges.begin(), ranges.end(), unit.address,
                                             [](Dwarf_Addr a, const Range& r) { return a < r.start; });
        if (behind == ranges.begin() || unit.address >= std::prev(behind)->end) return false;
        if (dwarf_offdie(debug, std::prev(behind)->unit, &unit.lines) == nullptr) return false;
    }
    unit.tree = unit.lines;
    use_split_tree(unit);
    return true;
}

}  // namespace mapaudit::symbols
