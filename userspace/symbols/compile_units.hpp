// SPDX-License-Identifier: Apache-2.0
//
// Which compile unit covers an address. Runs in the worker.
#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <cstdint>
#include <map>
#include <vector>

namespace mapaudit::symbols {

class CompileUnits {
public:
    struct Unit {
        Dwarf_Die lines;         // what has the line table
        Dwarf_Die tree;          // what has the functions: elsewhere than `lines` where the debug information is split
        Dwarf_Addr address = 0;  // the one asked for, as the debug information counts
    };
    // False where no unit covers the address.
    bool find(Dwfl_Module* module, std::uint64_t address, Unit& unit);

private:
    struct Range {
        Dwarf_Addr start, end;
        Dwarf_Off unit;
    };
    const std::vector<Range>& ranges_of(Dwfl_Module* module);

    // For modules whose .debug_aranges is missing or not complete: clang writes none.
    std::map<Dwfl_Module*, std::vector<Range>> ranges_;
};

}  // namespace mapaudit::symbols
