// SPDX-License-Identifier: Apache-2.0
#include "symbols/scopes.hpp"

#include <dwarf.h>

#include <algorithm>
#include <string_view>

#include "symbols/demangle.hpp"

namespace mapaudit::symbols {
namespace {

constexpr int deepest = 128;
constexpr std::size_t most_visits = 4'000'000;  // a tree whose siblings go round must end

class Search {
public:
    Search(Dwarf_Addr address, bool everywhere) : address_(address), everywhere_(everywhere) {}

    // True once a function is found; `path` then holds it and what is inlined there.
    bool descend(Dwarf_Die* parent, int depth) {
        Dwarf_Die child;
        if (depth > deepest || dwarf_child(parent, &child) != 0) return false;
        do {
            if (++visits_ > most_visits) return !path.empty();
            if (enter(&child, depth)) return true;
        } while (dwarf_siblingof(&child, &child) == 0);
        return false;
    }
    std::vector<Dwarf_Die> path;

private:
    bool enter(Dwarf_Die* die, int depth) {
        switch (dwarf_tag(die)) {
            case DW_TAG_subprogram:
            case DW_TAG_inlined_subroutine:
                if (dwarf_haspc(die, address_) != 1) return everywhere_ && descend(die, depth + 1);
                path.push_back(*die);
                descend(die, depth + 1);
                return true;
            case DW_TAG_lexical_block:
            case DW_TAG_try_block:
            case DW_TAG_catch_block: return (everywhere_ || dwarf_haspc(die, address_) == 1) && descend(die, depth + 1);
            case DW_TAG_namespace:
            case DW_TAG_module:
            case DW_TAG_class_type:
            case DW_TAG_structure_type:
            case DW_TAG_union_type: return descend(die, depth + 1);
            default: return false;
        }
    }
    Dwarf_Addr address_;
    bool everywhere_;
    std::size_t visits_ = 0;
};

const std::string unnamed_class = "{unnamed}::", lambda_class = "{lambda}::";

bool names_scope(int tag) {
    return tag == DW_TAG_namespace || tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
           tag == DW_TAG_union_type || tag == DW_TAG_subprogram;
}

std::string scope_name(Dwarf_Die* scope) {
    const char* name = dwarf_diename(scope);
    if (name != nullptr) return shortened(name) + "::";
    return dwarf_tag(scope) == DW_TAG_namespace ? "(anonymous namespace)::" : unnamed_class;
}

// "outer::Class::", from the scopes that a declaration stands in. There are no links to parents: but children have
// offsets between their parent's and its next sibling's.
std::string scopes_of(Dwarf_Die* declaration) {
    Dwarf_Die at;
    const Dwarf_Off wanted = dwarf_dieoffset(declaration);
    if (dwarf_diecu(declaration, &at, nullptr, nullptr) == nullptr) return {};
    std::string scopes;
    std::size_t visits = 0;
    for (int depth = 0; depth < deepest; ++depth) {
        Dwarf_Die child, next;
        if (dwarf_child(&at, &child) != 0) return {};
        while (dwarf_dieoffset(&child) < wanted && dwarf_siblingof(&child, &next) == 0 &&
               dwarf_dieoffset(&next) <= wanted && ++visits < most_visits)
            child = next;
        if (dwarf_dieoffset(&child) == wanted) return scopes;
        if (names_scope(dwarf_tag(&child))) scopes += scope_name(&child);
        at = child;
    }
    return {};
}

// The declaration that a function's code is of: through its abstract instance and its specification.
Dwarf_Die declaration_of(Dwarf_Die function) {
    for (int hops = 0; hops < 8; ++hops) {
        Dwarf_Attribute link;
        Dwarf_Die next;
        if ((dwarf_attr(&function, DW_AT_abstract_origin, &link) == nullptr &&
             dwarf_attr(&function, DW_AT_specification, &link) == nullptr) ||
            dwarf_formref_die(&link, &next) == nullptr)
            break;
        function = next;
    }
    return function;
}

const char* linkage_name(Dwarf_Die* function) {
    Dwarf_Attribute attribute;
    for (const unsigned name : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name})
        if (dwarf_attr_integrate(function, name, &attribute) != nullptr) return dwarf_formstring(&attribute);
    return nullptr;
}

}  // namespace

std::vector<Dwarf_Die> functions_at(Dwarf_Die unit, Dwarf_Addr address) {
    // Functions of local classes may hang below functions that have no code there: the second look goes everywhere.
    for (const bool everywhere : {false, true}) {
        Search search(address, everywhere);
        search.descend(&unit, 0);
        if (!search.path.empty()) return std::move(search.path);
    }
    return {};
}

FunctionName function_name(Dwarf_Die function) {
    if (const char* mangled = linkage_name(&function)) return {readable_name(mangled), true};
    Dwarf_Die declaration = declaration_of(function);
    const char* name = dwarf_diename(&declaration);
    if (name == nullptr) return {};
    std::string scopes = scopes_of(&declaration);
    if (std::string_view(name) == "operator()" && scopes.ends_with(unnamed_class))
        scopes.replace(scopes.size() - unnamed_class.size(), unnamed_class.size(), lambda_class);
    return {shortened(scopes + name), false};
}

}  // namespace mapaudit::symbols
