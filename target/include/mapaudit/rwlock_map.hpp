// SPDX-License-Identifier: Apache-2.0
//
// rwlock_map: one std::shared_mutex round one go_table; lookups share it, writes have it alone.
//
//   Progress     blocking; readers run beside each other, but each writes the lock's cache line. glibc's lock prefers
//                readers: a stream of them that never breaks off starves writers.
//   Update       update()'s and upsert()'s f works in place, erase_if()'s looks, with the lock held alone; neither may
//                call the map. What it throws leaves the value as f left it.
//   Consistency  linearizable, size() and clear() included.
//   for_each     holds the lock shared throughout: one consistent state, beside other readers. The callback must not
//                write to the map (deadlock), nor read it (a second shared lock may wait behind a writer).
//   Growth       under the lock, a bucket or two a write: no write stops for the whole of it but for the allocation.
#ifndef MAPAUDIT_RWLOCK_MAP_HPP
#define MAPAUDIT_RWLOCK_MAP_HPP

#include <mapaudit/detail/lock_access.hpp>
#include <mapaudit/detail/table_map.hpp>

namespace mapaudit {
namespace detail {

struct rwlock_design {
    static constexpr std::string_view kind = "rwlock_map";
    static constexpr bool concurrent = true;
    using access = rwlock_access;
    template <class Part, class Allocator>
    using parts = one_part<Part, Allocator>;
};

}  // namespace detail

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class rwlock_map : public detail::table_map<K, V, Hash, Equal, detail::rwlock_design, Allocator> {
    using base = detail::table_map<K, V, Hash, Equal, detail::rwlock_design, Allocator>;

public:
    explicit rwlock_map(std::string_view name = {}, std::size_t reserve = 0, const Allocator& allocator = Allocator())
        : base(allocator, name, reserve) {}
};

}  // namespace mapaudit

#endif
