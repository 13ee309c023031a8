// SPDX-License-Identifier: Apache-2.0
//
// mutex_map: one std::mutex round one go_table.
//
//   Progress     blocking; one operation at a time, readers too.
//   Update       update()'s and upsert()'s f works in place, erase_if()'s looks, with the lock held; neither may call
//                the map. What it throws leaves the value as f left it.
//   Consistency  linearizable, size() and clear() included.
//   for_each     holds the lock throughout: one consistent state. The callback must not call the map (deadlock).
//   Growth       under the lock, a bucket or two a write: no write stops for the whole of it but for the allocation.
#ifndef MAPAUDIT_MUTEX_MAP_HPP
#define MAPAUDIT_MUTEX_MAP_HPP

#include <mapaudit/detail/lock_access.hpp>
#include <mapaudit/detail/table_map.hpp>

namespace mapaudit {
namespace detail {

struct mutex_design {
    static constexpr std::string_view kind = "mutex_map";
    static constexpr bool concurrent = true;
    using access = mutex_access;
    template <class Part, class Allocator>
    using parts = one_part<Part, Allocator>;
};

}  // namespace detail

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class mutex_map : public detail::table_map<K, V, Hash, Equal, detail::mutex_design, Allocator> {
    using base = detail::table_map<K, V, Hash, Equal, detail::mutex_design, Allocator>;

public:
    explicit mutex_map(std::string_view name = {}, std::size_t reserve = 0, const Allocator& allocator = Allocator())
        : base(allocator, name, reserve) {}
};

}  // namespace mapaudit

#endif
