// SPDX-License-Identifier: Apache-2.0
//
// Which keys a map looks up without making a key of its own type of them: as in the standard's containers, what Hash
// and Equal both take when both declare `is_transparent`.
#ifndef MAPAUDIT_DETAIL_FOREIGN_KEY_HPP
#define MAPAUDIT_DETAIL_FOREIGN_KEY_HPP

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace mapaudit::detail {

template <class Q, class K, class Hash, class Equal>
concept foreign_key = !std::same_as<Q, K> && requires {
    typename Hash::is_transparent;
    typename Equal::is_transparent;
}
&&std::is_invocable_r_v<std::size_t, const Hash&, const Q&>&&
    std::is_invocable_r_v<bool, const Equal&, const K&, const Q&>;

}  // namespace mapaudit::detail

#endif
