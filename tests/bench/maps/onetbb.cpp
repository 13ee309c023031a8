// SPDX-License-Identifier: Apache-2.0
#include "maps/subject_map.hpp"

#ifdef BENCH_MAPS_TBB

#include <tbb/concurrent_hash_map.h>

#include "maps/map_of.hpp"

namespace mapaudit::bench {
namespace {

template <class Key>
class Tbb {
    using Map = tbb::concurrent_hash_map<Key, MapValue>;

public:
    using Thread = NoThread;

    explicit Tbb(std::uint64_t keys) : map_(keys) {}

    [[gnu::always_inline]] bool lookup(const Key& key, MapValue& value) {
        typename Map::const_accessor found;
        if (!map_.find(found, key)) return false;
        value = found->second;
        return true;
    }
    [[gnu::always_inline]] bool assign(const Key& key, MapValue value) {
        typename Map::accessor place;
        const bool fresh = map_.insert(place, key);
        place->second = value;
        return fresh;
    }
    [[gnu::always_inline]] bool erase(const Key& key) { return map_.erase(key); }
    std::uint64_t size() { return map_.size(); }

private:
    Map map_;
};

}  // namespace

void add_tbb(Field& field) {
    field.candidates.push_back({"tbb::concurrent_hash_map", Side::theirs, true, ~std::uint64_t{0}, make_of<Tbb>});
}

}  // namespace mapaudit::bench

#else

void mapaudit::bench::add_tbb(Field& field) {
    field.left_out.push_back("tbb::concurrent_hash_map: oneTBB (Debian: libtbb-dev) was not there when this was built");
}

#endif
