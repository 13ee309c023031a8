// SPDX-License-Identifier: Apache-2.0
#include "kinds.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include <mapaudit/audited.hpp>
#include <mapaudit/cache_map.hpp>
#include <mapaudit/cas_map.hpp>
#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/operation_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

#include "driver.hpp"

namespace mapaudit::workload {
namespace {

using Key = std::uint64_t;
using Value = std::uint64_t;

// A map of the standard library behind the interface of ours. Its kind is what the wrapper announces it as.
class StandardMap {
    using Map = audited<std::unordered_map<Key, Value>>;

public:
    static constexpr std::string_view kind = Map::kind;
    static constexpr bool concurrent = false;

    explicit StandardMap(const std::string& name) : map_(name) {}
    bool assign(Key key, Value value) {
        const std::size_t before = map_.bucket_count();
        const bool fresh = map_.insert_or_assign(key, value).second;
        grows_ += map_.bucket_count() != before;
        return fresh;
    }
    std::optional<Value> lookup(Key key) const {
        const auto found = map_.find(key);
        return found == map_.end() ? std::nullopt : std::optional<Value>(found->second);
    }
    bool erase(Key key) { return map_.erase(key) != 0; }
    std::size_t size() const { return map_.size(); }
    std::size_t bucket_count() const { return map_.bucket_count(); }
    double load_factor() const { return map_.load_factor(); }
    std::uint64_t grows() const { return grows_; }
    std::uint32_t id() const { return map_.id(); }

private:
    Map map_;
    std::uint64_t grows_ = 0;
};

struct NeverThrown {};  // for maps that have no conflicts to throw

template <class Map>
std::variant<Outcome, Failure> run_plain(const Options& options) {
    return drive<NeverThrown>(options, Map::concurrent && !options.own_maps,
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
    plain<tophash_map<Key, Value>>(),
    plain<cas_map<Key, Value>>(),
    plain<sync_map<Key, Value>>(),
    plain<snapshot_map<Key, Value>>(),
    plain<cache_map<Key, Value>>(),
    plain<operation_map<Key, Value>>(),
    plain<StandardMap>(),
};

}  // namespace

std::span<const Kind> all_kinds() { return kinds; }

const Kind* find_kind(std::string_view name) {
    const auto found = std::ranges::find(kinds, name, &Kind::name);
    return found == kinds.end() ? nullptr : &*found;
}

}  // namespace mapaudit::workload
