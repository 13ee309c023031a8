// SPDX-License-Identifier: Apache-2.0
#include <mapaudit/cache_map.hpp>
#include <mapaudit/cas_map.hpp>
#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

#include "maps/map_of.hpp"

namespace mapaudit::bench {
namespace {

template <class Map>
class Ours {
public:
    using Key = typename Map::key_type;
    using Thread = NoThread;

    explicit Ours(std::uint64_t keys) : map_("bench", keys) {}

    [[gnu::always_inline]] bool lookup(const Key& key, MapValue& value) {
        const auto found = map_.lookup(key);
        if (!found) return false;
        value = *found;
        return true;
    }
    [[gnu::always_inline]] bool assign(const Key& key, MapValue value) { return map_.assign(key, value); }
    [[gnu::always_inline]] bool erase(const Key& key) { return map_.erase(key); }
    std::uint64_t size() { return map_.size(); }
    // A sync_map that was only ever written to has all in its dirty part, which as many misses as it has keys promote:
    // for_each does so at once.
    void filled() {
        if constexpr (Map::kind == "sync_map") map_.for_each([](const auto&, const auto&) {});
    }

private:
    Map map_;
};

template <template <class...> class Map>
void add(Field& field, std::uint64_t most_keys = ~std::uint64_t{0}) {
    using OfIntegers = Map<std::uint64_t, MapValue>;
    using OfStrings = Map<std::string, MapValue>;
    field.candidates.push_back({std::string(OfIntegers::kind), Side::ours, OfIntegers::concurrent, most_keys,
                                [](KeyKind kind, std::uint64_t keys) -> std::unique_ptr<MapSubject> {
                                    if (kind == KeyKind::integer)
                                        return std::make_unique<MapOf<Ours<OfIntegers>, std::uint64_t>>(keys);
                                    return std::make_unique<MapOf<Ours<OfStrings>, std::string>>(keys);
                                }});
}

}  // namespace

void add_ours(Field& field) {
    add<go_map>(field);
    add<mutex_map>(field);
    add<rwlock_map>(field);
    add<sharded_map>(field);
    add<tophash_map>(field);
    add<cas_map>(field);
    add<sync_map>(field);
    add<snapshot_map>(field, 1'000'000);  // an insertion copies a path: ten million take a minute
    add<cache_map>(field);
}

}  // namespace mapaudit::bench
