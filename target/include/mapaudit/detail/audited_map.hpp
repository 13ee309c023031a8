// SPDX-License-Identifier: Apache-2.0
//
// The public interface of every map but audited<Map>: what it offers, and how each operation is audited. `Derived` is
// the map, and has
//
//   name_                                        a text_of<Allocator>
//   handle_                                      its map_handle, declared last so that it goes first
//   each_element(f)   clear_elements()           for_each and clear, without an audit
//   totals() → map_totals
//
// and the bodies of the operations, which have left their critical section when they return:
//
//   assign_in(running, key, value) → bool        visit_in(running, key, f) → bool
//   upsert_in(running, key, value, f) → bool     update_in(running, key, f) → bool
//   erase_in(running, key, f) → bool
//
// The key of all but assign_in and upsert_in is a K or any foreign_key. erase_in's f says of a value whether it goes: a
// whatever_it_is for erase(), which then asks no value. A map that counts instructions (table_map) may declare
// assign_body, erase_body and lookup_body itself, and one whose operation is more than an audited body (cache_map) the
// operation's `…_any`.
#ifndef MAPAUDIT_DETAIL_AUDITED_MAP_HPP
#define MAPAUDIT_DETAIL_AUDITED_MAP_HPP

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
#include <mapaudit/detail/arguments.hpp>
#include <mapaudit/detail/foreign_key.hpp>
#include <mapaudit/detail/requirements.hpp>
#include <mapaudit/detail/updating.hpp>
#include <mapaudit/detail/vital_signs.hpp>

namespace mapaudit::detail {

template <class Derived, class K, class V, class Hash, class Equal, class Allocator>
class audited_map {  // empty: what an operation needs first may stand first in the map
    static_assert(map_requirements<K, V, Hash, Equal, Allocator>::hold);

public:
    using key_type = K;
    using mapped_type = V;
    using hasher = Hash;
    using key_equal = Equal;
    using allocator_type = Allocator;

    audited_map(const audited_map&) = delete;
    audited_map& operator=(const audited_map&) = delete;

    // Inserts or overwrites; true when the key is new. Strong: what throws leaves the elements as they were. Where the
    // kind overwrites in place, an overwritten value is as good as V's move assignment leaves it.
    [[gnu::always_inline]] bool assign(const K& key, V value) { return self().assign_any(key, value); }

    // A copy of the value.
    [[gnu::always_inline]] std::optional<V> lookup(const K& key) const requires std::copy_constructible<V> {
        return self().lookup_any(key);
    }
    // What lookup, visit, update and erase take where Hash and Equal are transparent: no K is made.
    template <foreign_key<K, Hash, Equal> Q>
    [[gnu::always_inline]] std::optional<V> lookup(const Q& key) const requires std::copy_constructible<V> {
        return self().lookup_any(key);
    }

    // Calls f(value); false when there is no such key. What f may do is the kind's to say.
    template <class F>
    [[gnu::always_inline]] bool visit(const K& key, F&& f) const {
        require_reader<F, V>();
        return self().template visit_any<K, F>(key, f);
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    [[gnu::always_inline]] bool visit(const Q& key, F&& f) const {
        require_reader<F, V>();
        return self().template visit_any<Q, F>(key, f);
    }

    // Calls f(value) with the value of this key, which f may change; false when there is no such key. One write (an
    // audited assign): no other operation on the key comes between what f sees and what it leaves. Whether f works in
    // place or on a copy, whether it may be called again, and what it may do, is the kind's to say. f may return bool,
    // whether it changed the value: of what was left alone no copy is kept.
    template <class F>
    bool update(const K& key, F&& f) {
        return self().update_any(key, f);
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    bool update(const Q& key, F&& f) {
        return self().update_any(key, f);
    }

    // update() where there is such a key; where there is none, calls f with `value`, and inserts that unless f returns
    // false: no other operation on the key comes between. True when the key is new. One audited assign. What throws
    // leaves the elements as they were, but for what f did in place to a value that is there.
    template <class F>
    bool upsert(const K& key, V value, F&& f) {
        return self().upsert_any(key, value, f);
    }

    // True when the key was there.
    [[gnu::always_inline]] bool erase(const K& key) { return self().erase_any(key); }
    template <foreign_key<K, Hash, Equal> Q>
    [[gnu::always_inline]] bool erase(const Q& key) {
        return self().erase_any(key);
    }

    // Erases the key if f(value) returns true; no other operation on the key comes between. True when it did. One
    // audited erase. f may do what update's may, but changes nothing, and may be called again where that may.
    template <class F>
    bool erase_if(const K& key, F&& f) {
        return self().erase_if_any(key, f);
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    bool erase_if(const Q& key, F&& f) {
        return self().erase_if_any(key, f);
    }

    // Calls f(key, value) for each element. What it sees of writes meanwhile, and whether f may call the map, is the
    // kind's to say. Not audited as an operation.
    template <class F>
    void for_each(F&& f) const {
        require_walker<F, K, V>();
        self().each_element(f);
    }

    // Keeps the buckets. Not audited as an operation.
    void clear() { self().clear_elements(); }

    std::size_t size() const { return self().totals().size; }
    bool empty() const { return size() == 0; }
    // Without overflow buckets.
    std::size_t bucket_count() const { return self().totals().buckets; }
    // Elements a bucket; a bucket has eight slots and a table doubles at 6.5.
    double load_factor() const { return self().totals().load_factor(); }
    // Those of the current buckets; the ones that a growth has yet to evacuate are not counted.
    std::size_t overflow_buckets() const { return self().totals().overflow; }
    // Growths since the map was made, same-size ones included.
    std::uint64_t grows() const { return self().totals().grows; }

    // 0 where probes are compiled out.
    std::uint32_t id() const noexcept { return self().handle_.id(); }
    std::string_view name() const noexcept { return self().name_; }
    Allocator get_allocator() const noexcept { return Allocator(self().name_.get_allocator()); }

protected:
    audited_map() = default;
    ~audited_map() = default;

    // The bodies are small: more than two words would need a frame on the unattached path. So what does not fit goes by
    // the address of its arguments.
    struct assign_arguments {
        const K& key;
        V& value;
    };
    struct assign_body {
        Derived* map;
        const assign_arguments* arguments;
        [[gnu::always_inline]] bool operator()(auto& running) const {
            return map->assign_in(running, arguments->key, std::move(arguments->value));
        }
    };
    [[gnu::always_inline]] bool assign_any(const K& key, V& value) {
        const assign_arguments arguments{key, value};
        return audit<op::assign>(self().handle_, typename Derived::assign_body{&self(), &arguments});
    }

    template <class Q>
    struct lookup_body {
        const Derived* map;
        taken<Q> key;
        [[gnu::always_inline]] found<V> operator()(auto& running) const {
            found<V> result{};
            auto keep = [&result](const V& value) {
                if constexpr (found_in_register<V>)
                    result = {value, true};
                else
                    result.emplace(value);  // a V need not be assignable
            };
            map->visit_in(running, key.it, keep);
            return result;
        }
    };
    template <class Q>
    [[gnu::always_inline]] std::optional<V> lookup_any(const Q& key) const {
        const auto result =
            audit<op::lookup>(self().handle_, typename Derived::template lookup_body<const Q>{&self(), {key}});
        if constexpr (found_in_register<V>) {
            if (!result.there) return std::nullopt;
            return result.value;
        } else {
            return result;
        }
    }

    template <class Q, class F>
    struct visit_body {
        const Derived* map;
        taken<Q> key;
        taken_callable<F> f;
        [[gnu::always_inline]] bool operator()(auto& running) { return map->visit_in(running, key.it, f.it); }
    };
    template <class Q, class F>
    [[gnu::always_inline]] bool visit_any(const Q& key, std::remove_reference_t<F>& f) const {
        return audit<op::lookup>(self().handle_, visit_body<const Q, F>{&self(), {key}, {f}});
    }

    template <class Q, class F>
    struct key_and_function {
        const Q& key;
        F& f;
    };
    template <class Q, class F>
    struct update_body {
        Derived* map;
        const key_and_function<Q, F>* arguments;
        bool operator()(auto& running) const { return map->update_in(running, arguments->key, arguments->f); }
    };
    template <class Q, class F>
    bool update_any(const Q& key, F& f) {
        const key_and_function<Q, F> arguments{key, f};
        return audit<op::assign>(self().handle_, update_body<Q, F>{&self(), &arguments});
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
        const upsert_arguments<F>* arguments;
        bool operator()(auto& running) const {
            return map->upsert_in(running, arguments->key, std::move(arguments->value), arguments->f);
        }
    };
    template <class F>
    bool upsert_any(const K& key, V& value, F& f) {
        const upsert_arguments<F> arguments{key, value, f};
        return audit<op::assign>(self().handle_, upsert_body<F>{&self(), &arguments});
    }

    template <class Q>
    struct erase_body {
        Derived* map;
        taken<Q> key;
        [[gnu::always_inline]] bool operator()(auto& running) const {
            return map->erase_in(running, key.it, whatever_it_is{});
        }
    };
    template <class Q>
    [[gnu::always_inline]] bool erase_any(const Q& key) {
        return audit<op::erase>(self().handle_, typename Derived::template erase_body<const Q>{&self(), {key}});
    }
    template <class Q, class F>
    struct erase_if_body {
        Derived* map;
        const key_and_function<Q, F>* arguments;
        bool operator()(auto& running) const { return map->erase_in(running, arguments->key, arguments->f); }
    };
    template <class Q, class F>
    bool erase_if_any(const Q& key, F& f) {
        require_judge<F, V>();
        const key_and_function<Q, F> arguments{key, f};
        return audit<op::erase>(self().handle_, erase_if_body<Q, F>{&self(), &arguments});
    }

private:
    Derived& self() noexcept { return static_cast<Derived&>(*this); }
    const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }
};

}  // namespace mapaudit::detail

#endif
