// SPDX-License-Identifier: Apache-2.0
//
// The function at an address, and the ones inlined into it there, by the tree of debug information. Own walks instead
// of dwarf_getscopes and dwarf_getscopes_die: those visit whole compile units, and damaged trees without end.
#pragma once

#include <elfutils/libdw.h>

#include <string>
#include <vector>

namespace mapaudit::symbols {

// The function that has code at `address` and the inlined ones, outermost first; empty where there is none.
std::vector<Dwarf_Die> functions_at(Dwarf_Die unit, Dwarf_Addr address);

struct FunctionName {
    std::string text;    // readable; empty where it has none
    bool whole = false;  // from its linkage name, parameters included
};
// Without a linkage name, as static functions have none: namespaces, classes and name.
FunctionName function_name(Dwarf_Die function);

}  // namespace mapaudit::symbols
