// SPDX-License-Identifier: Apache-2.0
#include "kinds.hpp"

#include <algorithm>
#include <array>

#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>

#include "driver.hpp"

namespace mapaudit::workload {
namespace {

using Key = std::uint64_t;
using Value = std::uint64_t;

struct NeverThrown {};  // for maps that have no conflicts to throw

template <class Map>
std::variant<Outcome, Failure> run_plain(const Options& options) {
    return drive<NeverThrown>(options, Map::concurrent,
                              [](const std::string& name) { return std::make_unique<Map>(name); });
}

conflict_policy policy_of(const Options& options) {
    switch (options.on_conflict.value_or(OnConflict::abort)) {
        case OnConflict::throw_: return conflict_policy::throw_;
        case OnConflict::report: return conflict_policy::report;
        case OnConflict::abort: break;
    }
    return conflict_policy::abort;
}

// Each thread has maps of its own, unless a conflict is what was asked for.
template <class Map>
std::variant<Outcome, Failure> run_watched(const Options& options) {
    return drive<conflict_error>(options, options.on_conflict.has_value(), [&](const std::string& name) {
        return std::make_unique<Map>(name, 0, policy_of(options));
    });
}

template <class Map>
constexpr Kind plain() {
    return {Map::kind, Map::concurrent, false, run_plain<Map>};
}
template <class Map>
constexpr Kind watched() {
    return {Map::kind, Map::concurrent, true, run_watched<Map>};
}

constexpr std::array kinds{
    watched<go_map<Key, Value>>(),
    plain<mutex_map<Key, Value>>(),
    plain<rwlock_map<Key, Value>>(),
    plain<sharded_map<Key, Value>>(),
};

}  // namespace

std::span<const Kind> all_kinds() { return kinds; }

const Kind* find_kind(std::string_view name) {
    const auto found = std::ranges::find(kinds, name, &Kind::name);
    return found == kinds.end() ? nullptr : &*found;
}

}  // namespace mapaudit::workload
