// SPDX-License-Identifier: Apache-2.0
//
// How update() calls the function that it is given.
#ifndef MAPAUDIT_DETAIL_UPDATING_HPP
#define MAPAUDIT_DETAIL_UPDATING_HPP

#include <functional>
#include <type_traits>

namespace mapaudit::detail {

// False when f says that it left the value alone.
template <class F, class V>
[[gnu::always_inline]] inline bool changed_by(F& f, V& value) {
    static_assert(std::is_invocable_v<F&, V&>,
                  "update(key, f) calls f(value): f must be callable with the map's value by reference");
    static_assert(!std::is_invocable_v<F&, V&> || std::is_void_v<std::invoke_result_t<F&, V&>> ||
                      std::is_same_v<std::invoke_result_t<F&, V&>, bool>,
                  "update(key, f): f must return nothing, or bool, whether it changed the value");
    if constexpr (std::is_same_v<std::invoke_result_t<F&, V&>, bool>) {
        return std::invoke(f, value);
    } else {
        std::invoke(f, value);
        return true;
    }
}

}  // namespace mapaudit::detail

#endif
