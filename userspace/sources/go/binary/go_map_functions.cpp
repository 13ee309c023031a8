// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_map_functions.hpp"

#include <algorithm>
#include <array>

namespace mapaudit::sources {
namespace {

constexpr auto rax = GoRegister::rax, rbx = GoRegister::rbx, rcx = GoRegister::rcx;

enum class In { classic, swiss, both };

struct Entry {
    std::string_view name;
    In in;
    GoMapFunction what;
};

constexpr GoMapFunction assign{GoRole::assign, rbx, rax}, lookup{GoRole::lookup, rbx, rax},
    erase{GoRole::erase, rbx, rax};
constexpr GoMapFunction of_map(GoRole role) { return {role, rax, rbx}; }    // a method of *Map: (m, type, …)
constexpr GoMapFunction of_table(GoRole role) { return {role, rcx, rbx}; }  // of *table, *Iter: (t, type, m, …)

// Left out are functions that only pass on to one of these: mapaccess1_fat, reflect's, and from Go 1.24 mapdelete*,
// mapclear and mapiterinit. Whoever reads the code leaves out those of the rest that call another of the same role,
// since that differs from version to version.
constexpr std::array entries{
    Entry{"runtime.mapassign", In::both, assign},
    Entry{"runtime.mapassign_fast32", In::both, assign},
    Entry{"runtime.mapassign_fast32ptr", In::both, assign},
    Entry{"runtime.mapassign_fast64", In::both, assign},
    Entry{"runtime.mapassign_fast64ptr", In::both, assign},
    Entry{"runtime.mapassign_faststr", In::both, assign},
    Entry{"runtime.mapaccess1", In::both, lookup},
    Entry{"runtime.mapaccess1_fast32", In::both, lookup},
    Entry{"runtime.mapaccess1_fast64", In::both, lookup},
    Entry{"runtime.mapaccess1_faststr", In::both, lookup},
    Entry{"runtime.mapaccess2", In::both, lookup},
    Entry{"runtime.mapaccess2_fast32", In::both, lookup},
    Entry{"runtime.mapaccess2_fast64", In::both, lookup},
    Entry{"runtime.mapaccess2_faststr", In::both, lookup},
    Entry{"runtime.mapdelete", In::classic, erase},
    Entry{"runtime.mapdelete_fast32", In::classic, erase},
    Entry{"runtime.mapdelete_fast64", In::classic, erase},
    Entry{"runtime.mapdelete_faststr", In::classic, erase},
    Entry{"runtime.mapclear", In::classic, {GoRole::clear, rbx, rax}},
    Entry{"runtime.mapiterinit", In::classic, {GoRole::iterate, rbx, rax}},
    Entry{"runtime.mapiternext", In::classic, {GoRole::step, {}, {}}},
    Entry{classic_sign, In::classic, {GoRole::grow, rbx, rax}},
    Entry{"internal/runtime/maps.(*Map).Delete", In::swiss, of_map(GoRole::erase)},
    Entry{"internal/runtime/maps.(*Map).Clear", In::swiss, of_map(GoRole::clear)},
    Entry{"internal/runtime/maps.(*Map).growToTable", In::swiss, of_map(GoRole::grow)},
    Entry{"internal/runtime/maps.(*Iter).Init", In::swiss, of_table(GoRole::iterate)},
    Entry{"internal/runtime/maps.(*Iter).Next", In::swiss, {GoRole::step, {}, {}}},
    Entry{swiss_sign, In::swiss, of_table(GoRole::grow)},
    Entry{"internal/runtime/maps.(*table).split", In::swiss, of_table(GoRole::grow)},
    Entry{"internal/runtime/maps.fatal", In::swiss, {GoRole::fatal, {}, {}}},
    Entry{"runtime.fatal", In::both, {GoRole::fatal, {}, {}}},
    Entry{"runtime.gopanic", In::both, {GoRole::panic, {}, {}}},
};

}  // namespace

std::optional<GoMapFunction> map_function(std::string_view name, GoMapDesign design) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
    if (found == entries.end()) return {};
    if (found->in != In::both && (found->in == In::swiss) != (design == GoMapDesign::swiss)) return {};
    return found->what;
}

}  // namespace mapaudit::sources
