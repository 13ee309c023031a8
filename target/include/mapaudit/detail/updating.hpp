// SPDX-License-Identifier: Apache-2.0
//
// How update(), upsert() and erase_if() call the function that they are given.
#ifndef MAPAUDIT_DETAIL_UPDATING_HPP
#define MAPAUDIT_DETAIL_UPDATING_HPP

#include <functional>
#include <type_traits>

namespace mapaudit::detail {

// False when f says that it left the value alone.
template <class F, class V>
[[gnu::always_inline]] inline bool changed_by(F& f, V& value) {
    static_assert(std::is_invocable_v<F&, V&>,
                  "update(key, f) and upsert(key, value, f) call f(value): f must be callable with the map's value by "
                  "reference");
    static_assert(!std::is_invocable_v<F&, V&> || std::is_void_v<std::invoke_result_t<F&, V&>> ||
                      std::is_same_v<std::invoke_result_t<F&, V&>, bool>,
                  "update(key, f) and upsert(key, value, f): f must return nothing, or bool, whether it changed the "
                  "value");
    if constexpr (std::is_same_v<std::invoke_result_t<F&, V&>, bool>) {
        return std::invoke(f, value);
    } else {
        std::invoke(f, value);
        return true;
    }
}

// What an erasure without a condition asks of the value: nothing, at no cost.
struct whatever_it_is {
    template <class V>
    constexpr bool operator()(const V&) const noexcept {
        return true;
    }
};
template <class F>
inline constexpr bool asks_nothing = std::is_same_v<std::remove_cvref_t<F>, whatever_it_is>;

}  // namespace mapaudit::detail

#endif
