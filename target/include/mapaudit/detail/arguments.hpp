// SPDX-License-Identifier: Apache-2.0
//
// What an audited body takes along and gives back, so that the unattached path keeps it in registers.
#ifndef MAPAUDIT_DETAIL_ARGUMENTS_HPP
#define MAPAUDIT_DETAIL_ARGUMENTS_HPP

#include <optional>
#include <type_traits>

namespace mapaudit::detail {

// A key: by value what fits a register. One whose address went to the attached path would have to be kept in memory on
// the unattached one, at four instructions a lookup.
template <class T>
inline constexpr bool fits_register = std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(void*) &&
                                      !std::is_array_v<T>;
template <class T>
struct taken {
    std::conditional_t<fits_register<T>, T, T&> it;
};
// A caller's function object that has a name keeps its state; a temporary one may be a copy.
template <class F>
struct taken_callable {
    std::conditional_t<fits_register<F> && !std::is_reference_v<F>, F, F&> it;
};

// A small value and whether there is one, in two registers. GCC makes an std::optional of them in memory, in halves,
// and copies it as a whole wherever the attached and the unattached path meet: two failed store forwardings, 5 ns.
template <class V>
struct found_scalar {
    V value;
    bool there;
};
template <class V>
inline constexpr bool found_in_register =
    std::is_trivially_copyable_v<V>&& std::is_default_constructible_v<V>&& std::is_copy_assignable_v<V> &&
    sizeof(V) <= sizeof(void*);
// What a lookup's body returns.
template <class V>
using found = std::conditional_t<found_in_register<V>, found_scalar<V>, std::optional<V>>;

}  // namespace mapaudit::detail

#endif
