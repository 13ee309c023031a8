// SPDX-License-Identifier: Apache-2.0
//
// What every map of this library offers, as a concept: code written against it takes any of them.
#ifndef MAPAUDIT_MAP_CONCEPT_HPP
#define MAPAUDIT_MAP_CONCEPT_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace mapaudit {

// clang-format off
template <class M>
concept any_map = !std::copyable<M> && !std::movable<M> && std::constructible_from<M> &&
    std::constructible_from<M, std::string_view> && std::constructible_from<M, std::string_view, std::size_t> &&
    requires(M& m, const M& c, const typename M::key_type& key, typename M::mapped_type&& value,
             void (&on_value)(const typename M::mapped_type&), void (&change)(typename M::mapped_type&),
             bool (&goes)(const typename M::mapped_type&),
             void (&on_element)(const typename M::key_type&, const typename M::mapped_type&)) {
        { M::kind } -> std::convertible_to<std::string_view>;
        { M::concurrent } -> std::convertible_to<bool>;
        requires std::bool_constant<(M::concurrent, true)>::value;  // a constant
        { m.assign(key, std::move(value)) } -> std::same_as<bool>;
        { m.erase(key) } -> std::same_as<bool>;
        { m.update(key, change) } -> std::same_as<bool>;
        { m.upsert(key, std::move(value), change) } -> std::same_as<bool>;
        { m.erase_if(key, goes) } -> std::same_as<bool>;
        { c.visit(key, on_value) } -> std::same_as<bool>;
        c.for_each(on_element);
        m.clear();
        { c.size() } -> std::same_as<std::size_t>;
        { c.bucket_count() } -> std::same_as<std::size_t>;
        { c.load_factor() } -> std::same_as<double>;
        { c.overflow_buckets() } -> std::same_as<std::size_t>;
        { c.grows() } -> std::same_as<std::uint64_t>;
        { c.id() } -> std::same_as<std::uint32_t>;
        { c.name() } -> std::convertible_to<std::string_view>;
    } &&
    (!std::copy_constructible<typename M::mapped_type> || requires(const M& c, const typename M::key_type& key) {
        { c.lookup(key) } -> std::same_as<std::optional<typename M::mapped_type>>;
    });
// clang-format on

}  // namespace mapaudit

#endif
