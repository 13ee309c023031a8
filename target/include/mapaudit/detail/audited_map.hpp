// SPDX-License-Identifier: Apache-2.0
//
// The audited face of the maps that are not tables behind one lock. `Derived` has a map_handle `handle_`, declared
// last so that it goes first, and
//
//   assign_in(running, key, value) → bool        visit_in(running, key, f) → bool
//   upsert_in(running, key, value, f) → bool     update_in(running, key, f) → bool
//   erase_in(running, key, f) → bool             totals() → map_totals
//
// each of which has left its critical section when it returns. The key of all but assign_in and upsert_in is a K or
// any foreign_key. erase_in's f says of a value whether it goes: a whatever_it_is for erase(), which then asks no
// value.
#ifndef MAPAUDIT_DETAIL_AUDITED_MAP_HPP
#define MAPAUDIT_DETAIL_AUDITED_MAP_HPP

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mapaudit/probes.h>
#include <mapaudit/detail/allocation.hpp>
#include <mapaudit/detail/foreign_key.hpp>
#include <mapaudit/detail/requirements.hpp>
#include <mapaudit/detail/updating.hpp>

namespace mapaudit::detail {

// A map's vital signs: changed by its writers, read from outside at any moment. Relaxed throughout: each is a figure
// by itself, no other memory is read on the strength of it.
struct vital_signs {
    std::uint64_t size = 0, buckets = 0, overflow = 0, grows = 0;

    static void add(std::uint64_t& figure, std::uint64_t by) noexcept {
        __atomic_fetch_add(&figure, by, __ATOMIC_RELAXED);
    }
    static void take(std::uint64_t& figure, std::uint64_t by) noexcept {
        __atomic_fetch_sub(&figure, by, __ATOMIC_RELAXED);
    }
    static void set(std::uint64_t& figure, std::uint64_t to) noexcept {
        __atomic_store_n(&figure, to, __ATOMIC_RELAXED);
    }
    static std::uint64_t get(const std::uint64_t& figure) noexcept {
        return __atomic_load_n(&figure, __ATOMIC_RELAXED);
    }

    live_fields published(std::uint32_t parts = 1, std::size_t stride = 0) const noexcept {
        return {.size = {&size},
                .buckets = {&buckets},
                .overflow = {&overflow},
                .grows = {&grows},
                .parts = parts,
                .stride = stride};
    }
};

struct map_totals {
    std::size_t size = 0, buckets = 0, overflow = 0;
    std::uint64_t grows = 0;

    void add(const vital_signs& signs) noexcept {
        size += vital_signs::get(signs.size);
        buckets += vital_signs::get(signs.buckets);
        overflow += vital_signs::get(signs.overflow);
        grows += vital_signs::get(signs.grows);
    }
};

template <class Derived, class K, class V, class Hash, class Equal, class Allocator>
class audited_map {
    static_assert(map_requirements<K, V, Hash, Equal, Allocator>::hold);

public:
    using key_type = K;
    using mapped_type = V;
    using hasher = Hash;
    using key_equal = Equal;
    using allocator_type = Allocator;

    audited_map(const audited_map&) = delete;
    audited_map& operator=(const audited_map&) = delete;

    // Inserts or overwrites; true when the key is new. Strong: what throws leaves the map as it was.
    bool assign(const K& key, V value) {
        assign_arguments arguments{key, value};
        return audit<op::assign>(self().handle_, assign_body{&self(), &arguments});
    }

    // A copy of the value.
    std::optional<V> lookup(const K& key) const requires std::copy_constructible<V> { return lookup_any(key); }
    // What lookup, visit and erase take where Hash and Equal are transparent: no K is made.
    template <foreign_key<K, Hash, Equal> Q>
    std::optional<V> lookup(const Q& key) const requires std::copy_constructible<V> {
        return lookup_any(key);
    }

    // Calls f(value); false when there is no such key. What f may do is the kind's to say.
    template <class F>
    bool visit(const K& key, F&& f) const {
        require_reader<F, V>();
        return visit_any(key, f);
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    bool visit(const Q& key, F&& f) const {
        require_reader<F, V>();
        return visit_any(key, f);
    }

    // Calls f(value) with the value of this key, which f may change; false when there is no such key. One write (an
    // audited assign): no other operation on the key comes between what f sees and what it leaves. Whether f works in
    // place or on a copy, whether it may be called again, and what it may do, is the kind's to say. f may return bool,
    // whether it changed the value: of what was left alone no copy is kept.
    template <class F>
    bool update(const K& key, F&& f) {
        return update_any(key, f);
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    bool update(const Q& key, F&& f) {
        return update_any(key, f);
    }

    // update() where there is such a key; where there is none, calls f with `value`, and inserts that unless f returns
    // false: no other operation on the key comes between. True when the key is new. One audited assign. What throws
    // leaves the elements as they were, but for what f did in place to a value that is there.
    template <class F>
    bool upsert(const K& key, V value, F&& f) {
        upsert_arguments<F> arguments{key, value, f};
        return audit<op::assign>(self().handle_, upsert_body<F>{&self(), &arguments});
    }

    // True when the key was there.
    bool erase(const K& key) { return audit<op::erase>(self().handle_, erase_body<K>{&self(), &key}); }
    template <foreign_key<K, Hash, Equal> Q>
    bool erase(const Q& key) {
        return audit<op::erase>(self().handle_, erase_body<Q>{&self(), &key});
    }

    // Erases the key if f(value) returns true; no other operation on the key comes between. True when it did. One
    // audited erase. f may do what update's may, but changes nothing, and may be called again where that may.
    template <class F>
    bool erase_if(const K& key, F&& f) {
        return erase_if_any(key, f);
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    bool erase_if(const Q& key, F&& f) {
        return erase_if_any(key, f);
    }

    std::size_t size() const { return self().totals().size; }
    bool empty() const { return size() == 0; }
    std::size_t bucket_count() const { return self().totals().buckets; }
    double load_factor() const {
        const map_totals all = self().totals();
        return static_cast<double>(all.size) / static_cast<double>(all.buckets);
    }
    std::size_t overflow_buckets() const { return self().totals().overflow; }
    std::uint64_t grows() const { return self().totals().grows; }

    // 0 where probes are compiled out.
    std::uint32_t id() const noexcept { return self().handle_.id(); }
    std::string_view name() const noexcept { return name_; }
    Allocator get_allocator() const noexcept { return Allocator(name_.get_allocator()); }

protected:
    audited_map(std::string_view name, const Allocator& allocator) : name_(name, allocator) {}
    ~audited_map() = default;

private:
    // Two pointers a body, so that the unattached path needs no frame for it.
    struct assign_arguments {
        const K& key;
        V& value;
    };
    struct assign_body {
        Derived* map;
        assign_arguments* arguments;
        bool operator()(auto& running) const {
            return map->assign_in(running, arguments->key, std::move(arguments->value));
        }
    };
    template <class Q, class F>
    struct visit_arguments {
        const Q& key;
        F& f;
    };
    template <class Q, class F>
    struct visit_body {
        const Derived* map;
        visit_arguments<Q, F>* arguments;
        [[gnu::always_inline]] bool operator()(auto& running) const {
            return map->visit_in(running, arguments->key, arguments->f);
        }
    };
    template <class Q>
    struct erase_body {
        Derived* map;
        const Q* key;
        bool operator()(auto& running) const { return map->erase_in(running, *key, whatever_it_is{}); }
    };
    template <class Q, class F>
    struct erase_if_body {
        Derived* map;
        visit_arguments<Q, F>* arguments;
        bool operator()(auto& running) const { return map->erase_in(running, arguments->key, arguments->f); }
    };
    template <class Q, class F>
    bool erase_if_any(const Q& key, F& f) {
        require_judge<F, V>();
        visit_arguments<Q, F> arguments{key, f};
        return audit<op::erase>(self().handle_, erase_if_body<Q, F>{&self(), &arguments});
    }
    template <class F>
    struct upsert_arguments {
        const K& key;
        V& value;
        F& f;
    };
    template <class F>
    struct upsert_body {
        Derived* map;
        upsert_arguments<F>* arguments;
        bool operator()(auto& running) const {
            return map->upsert_in(running, arguments->key, std::move(arguments->value), arguments->f);
        }
    };
    template <class Q, class F>
    struct update_body {
        Derived* map;
        visit_arguments<Q, F>* arguments;
        bool operator()(auto& running) const { return map->update_in(running, arguments->key, arguments->f); }
    };
    template <class Q, class F>
    bool update_any(const Q& key, F& f) {
        visit_arguments<Q, F> arguments{key, f};
        return audit<op::assign>(self().handle_, update_body<Q, F>{&self(), &arguments});
    }
    template <class Q, class F>
    bool visit_any(const Q& key, F& f) const {
        visit_arguments<Q, F> arguments{key, f};
        return audit<op::lookup>(self().handle_, visit_body<Q, F>{&self(), &arguments});
    }
    template <class Q>
    std::optional<V> lookup_any(const Q& key) const {
        std::optional<V> found;
        auto keep = [&found](const V& value) { found.emplace(value); };
        visit_any(key, keep);
        return found;
    }

    Derived& self() noexcept { return static_cast<Derived&>(*this); }
    const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

    text_of<Allocator> name_;
};

}  // namespace mapaudit::detail

#endif
