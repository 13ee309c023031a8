// SPDX-License-Identifier: Apache-2.0
//
// What every map asks of its parameters and of the functions it is given, each with a sentence for the compiler to
// print. tests/unit/build/wrong_use holds a wrong program for each.
#ifndef MAPAUDIT_DETAIL_REQUIREMENTS_HPP
#define MAPAUDIT_DETAIL_REQUIREMENTS_HPP

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>

namespace mapaudit::detail {

// std::equal_to claims to take anything.
template <class Equal, class K>
inline constexpr bool compares = std::is_invocable_r_v<bool, const Equal&, const K&, const K&>;
template <class K>
inline constexpr bool compares<std::equal_to<K>, K> = requires(const K& a, const K& b) {
    static_cast<bool>(a == b);
};

template <class A>
inline constexpr bool allocates = requires(A& a, typename A::value_type* memory) {
    { a.allocate(std::size_t{1}) } -> std::same_as<typename A::value_type*>;
    a.deallocate(memory, std::size_t{1});
};

template <class K, class V, class Hash, class Equal, class Allocator>
struct map_requirements {
    static_assert(std::is_object_v<K> && std::is_copy_constructible_v<K>,
                  "a map's key must be copy constructible: assign() copies it");
    static_assert(std::is_object_v<V> && std::is_move_constructible_v<V>, "a map's value must be move constructible");
    static_assert(std::is_invocable_r_v<std::size_t, const Hash&, const K&>,
                  "Hash must be callable as size_t(const K&), by a const Hash: name one as the map's third parameter "
                  "where std::hash does not know the key");
    static_assert(compares<Equal, K>,
                  "Equal must be callable as bool(const K&, const K&): give the key an operator==, or name an Equal as "
                  "the map's fourth parameter");
    static_assert(std::is_default_constructible_v<Hash> && std::is_default_constructible_v<Equal>,
                  "Hash and Equal must be default constructible: a map makes its own");
    static_assert(allocates<Allocator>,
                  "a map's allocator must have value_type, allocate(n) that returns a plain pointer, and "
                  "deallocate(pointer, n)");
    static constexpr bool hold = true;
};

template <class F, class V>
constexpr void require_reader() noexcept {
    static_assert(std::is_invocable_v<F, const V&>,
                  "visit(key, f) calls f(value): f must be callable with the map's value as const (update changes it)");
}
template <class F, class V>
constexpr void require_judge() noexcept {
    static_assert(std::is_invocable_r_v<bool, F&, const V&>,
                  "erase_if(key, f) calls f(value): f must be callable with the map's value as const, and return "
                  "whether to erase it");
}
template <class F, class K, class V>
constexpr void require_walker() noexcept {
    static_assert(std::is_invocable_v<F, const K&, const V&>,
                  "for_each(f) calls f(key, value): f must be callable with the map's key and value, both const");
}

}  // namespace mapaudit::detail

#endif
