// SPDX-License-Identifier: Apache-2.0
//
// sharded_map: a power of two of shards, each a mutex that spins before it sleeps round a go_table, on cache lines of
// its own; a key's shard is chosen by hash bits that its shard's table does not use.
//
//   Progress     blocking, by shard: operations on keys of different shards do not meet.
//   Update       update()'s and upsert()'s f works in place, erase_if()'s looks, with the shard's lock held; neither
//                may call the map. What it throws leaves the value as f left it.
//   Consistency  operations on keys are linearizable. size(), clear() and the other totals go shard by shard:
//                of a map being written to, what they return need never have been true at one moment.
//   for_each     holds one shard's lock at a time: each shard in one consistent state, not the whole. An element that
//                is there throughout is visited exactly once. The callback must not call the map (deadlock).
//   Growth       each shard on its own, under its lock, a bucket or two a write.
#ifndef MAPAUDIT_SHARDED_MAP_HPP
#define MAPAUDIT_SHARDED_MAP_HPP

#include <mapaudit/detail/lock_access.hpp>
#include <mapaudit/detail/table_map.hpp>

namespace mapaudit {
namespace detail {

struct sharded_design {
    static constexpr std::string_view kind = "sharded_map";
    static constexpr bool concurrent = true;
    using access = spinning_access;
    template <class Part, class Allocator>
    using parts = many_parts<Part, Allocator>;
};

}  // namespace detail

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class sharded_map : public detail::table_map<K, V, Hash, Equal, detail::sharded_design, Allocator> {
    using base = detail::table_map<K, V, Hash, Equal, detail::sharded_design, Allocator>;

public:
    static constexpr std::size_t default_shards = 32;

    // `shards` is rounded up to a power of two, at most 65536.
    explicit sharded_map(std::string_view name = {}, std::size_t reserve = 0, std::size_t shards = default_shards,
                         const Allocator& allocator = Allocator())
        : base(allocator, name, reserve, shards) {}

    std::size_t shard_count() const noexcept { return base::all_parts().count(); }
};

}  // namespace mapaudit

#endif
