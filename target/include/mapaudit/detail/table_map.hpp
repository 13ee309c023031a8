// SPDX-License-Identifier: Apache-2.0
//
// The one implementation behind go_map, mutex_map, rwlock_map and sharded_map: audited operations on one go_table or
// many, each behind its own access rule. A Design says
//
//   kind, concurrent   what the map is called, and whether several threads may use it at once
//   access             the rule: write(running, map) and read(running, map) for an operation, iterate(map),
//                      inspect(map) and rewrite(map) for the whole, return a guard with unlock();
//                      check_iteration(map) runs before each element that for_each visits; `checked` says whether
//                      the rule looks for access that it does not allow, with is_written() before a read and
//                      read_beside_a_write(map) when it is
//   parts<Part>        one_part or many_parts
//
// Every critical section ends inside the audited body: the probes fire after it. All memory is the Allocator's, but
// that std::allocator's bucket arrays come from calloc (go_bucket.hpp says why).
#ifndef MAPAUDIT_DETAIL_TABLE_MAP_HPP
#define MAPAUDIT_DETAIL_TABLE_MAP_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mapaudit/probes.h>
#include <mapaudit/detail/foreign_key.hpp>
#include <mapaudit/detail/go_cursor.hpp>
#include <mapaudit/detail/go_table.hpp>
#include <mapaudit/detail/growth_collector.hpp>
#include <mapaudit/detail/requirements.hpp>
#include <mapaudit/detail/table_parts.hpp>

namespace mapaudit::detail {

// Calls write(observer), where nobody listens with an observer that costs nothing.
template <class Running, class Write>
[[gnu::always_inline]] inline bool observed(Running& running, const map_handle& handle, std::uint32_t part,
                                            const std::uint64_t& grows, Write write) {
    if constexpr (Running::listening) {
        growth_collector collector(handle, part, grows);
        bool changed;
        try {
            changed = write(collector);
        } catch (...) {
            collector.tell(running);  // what threw may have grown the table first
            throw;
        }
        collector.tell(running);
        return changed;
    } else {
        return write(silent_observer{});
    }
}

// What a lookup's body takes along: by value what fits a register. A key whose address went to the attached path would
// have to be kept in memory on the unattached one, at four instructions a lookup.
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

template <class K, class V, class Hash, class Equal, class Design, class Allocator>
class table_map {
    static_assert(map_requirements<K, V, Hash, Equal, Allocator>::hold);
    using table = go_table<K, V, Hash, Equal, Allocator>;
    using access = typename Design::access;
    using part = table_part<access, table>;
    using parts = typename Design::template parts<part, Allocator>;
    friend access;

public:
    using key_type = K;
    using mapped_type = V;
    using hasher = Hash;
    using key_equal = Equal;
    using allocator_type = Allocator;

    static constexpr std::string_view kind = Design::kind;
    static constexpr bool concurrent = Design::concurrent;

    table_map(const table_map&) = delete;
    table_map& operator=(const table_map&) = delete;

    // Inserts or overwrites; true when the key is new. Strong: what throws leaves the elements as they were, but for an
    // overwritten value, which is as good as V's move assignment leaves it.
    [[gnu::always_inline]] bool assign(const K& key, V value) {
        const assign_arguments arguments{key, value};
        return audit<op::assign>(handle_, assign_body{this, &arguments});
    }

    // A copy of the value.
    [[gnu::always_inline]] std::optional<V> lookup(const K& key) const requires std::copy_constructible<V> {
        return lookup_any(key);
    }
    // What lookup, visit and erase take where Hash and Equal are transparent: no K is made.
    template <foreign_key<K, Hash, Equal> Q>
    [[gnu::always_inline]] std::optional<V> lookup(const Q& key) const requires std::copy_constructible<V> {
        return lookup_any(key);
    }

    // Calls f(value) in place, inside the critical section: f must not call this map. False when there is no such key.
    template <class F>
    [[gnu::always_inline]] bool visit(const K& key, F&& f) const {
        require_reader<F, V>();
        return audit<op::lookup>(handle_, visit_body<const K, F>{this, {key}, {f}});
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    [[gnu::always_inline]] bool visit(const Q& key, F&& f) const {
        require_reader<F, V>();
        return audit<op::lookup>(handle_, visit_body<const Q, F>{this, {key}, {f}});
    }

    // Calls f(value) with the value of this key, which f may change; false when there is no such key. One write (an
    // audited assign): no other operation on the key comes between what f sees and what it leaves. In place, inside
    // the critical section: f must not call this map, and what it throws leaves the value as f left it. f may return
    // bool, whether it changed the value, which some kinds make use of.
    template <class F>
    bool update(const K& key, F&& f) {
        return update_any(key, f);
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    bool update(const Q& key, F&& f) {
        return update_any(key, f);
    }

    // update() where there is such a key; where there is none, calls f with `value`, and inserts that unless f returns
    // false. True when the key is new. One audited assign. What throws leaves the elements as they were, but for what f
    // did to a value that is there.
    template <class F>
    bool upsert(const K& key, V value, F&& f) {
        return decide<op::assign>(key, [&](table& in, std::uint64_t hash, auto& observer) {
            return in.upsert(key, std::move(value), f, hash, observer);
        });
    }

    // True when the key was there.
    [[gnu::always_inline]] bool erase(const K& key) {
        return audit<op::erase>(handle_, erase_body<const K>{this, {key}});
    }
    template <foreign_key<K, Hash, Equal> Q>
    [[gnu::always_inline]] bool erase(const Q& key) {
        return audit<op::erase>(handle_, erase_body<const Q>{this, {key}});
    }

    // Erases the key if f(value), called as visit's f is, returns true; no other operation on the key comes between.
    // True when it did. One audited erase.
    template <class F>
    bool erase_if(const K& key, F&& f) {
        return erase_if_any(key, f);
    }
    template <foreign_key<K, Hash, Equal> Q, class F>
    bool erase_if(const Q& key, F&& f) {
        return erase_if_any(key, f);
    }

    // Calls f(key, value) for each element, from a random start. What it sees of writes meanwhile, and whether f may
    // call the map, is the kind's to say. Not audited as an operation.
    template <class F>
    void for_each(F&& f) const {
        require_walker<F, K, V>();
        for (const part& mine : parts_) {
            [[maybe_unused]] auto guard = mine.access.iterate(*this);
            typename table::cursor cursor(mine.table);
            for (;;) {
                mine.access.check_iteration(*this);
                const auto* element = cursor.next();
                if (element == nullptr) break;
                std::invoke(f, element->key, element->value);
            }
        }
    }

    // Keeps the buckets. Not audited as an operation.
    void clear() {
        for (part& mine : parts_) {
            auto guard = mine.access.rewrite(*this);
            mine.table.clear();
            guard.unlock();
        }
    }

    std::size_t size() const { return totals().size; }
    bool empty() const { return size() == 0; }
    // Without overflow buckets.
    std::size_t bucket_count() const { return totals().buckets; }
    // Elements a bucket; a bucket has eight slots and the table doubles at 6.5.
    double load_factor() const {
        const sums all = totals();
        return static_cast<double>(all.size) / static_cast<double>(all.buckets);
    }
    // Those of the current buckets; the ones that a growth has yet to evacuate are not counted.
    std::size_t overflow_buckets() const { return totals().overflow; }
    // Growths since the map was made, same-size ones included.
    std::uint64_t grows() const { return totals().grows; }

    // 0 where probes are compiled out.
    std::uint32_t id() const noexcept { return handle_.id(); }
    std::string_view name() const noexcept { return name_; }
    Allocator get_allocator() const noexcept { return Allocator(name_.get_allocator()); }

protected:
    template <class... Args>
    explicit table_map(const Allocator& allocator, std::string_view name, std::size_t reserve, const Args&... args)
        : parts_(allocator, reserve, args...), name_(name, allocator), handle_(kind, name, published()) {}
    ~table_map() = default;

    const parts& all_parts() const noexcept { return parts_; }

private:
    struct sums {
        std::size_t size = 0, buckets = 0, overflow = 0;
        std::uint64_t grows = 0;
    };

    // The audited bodies. Unattached, a lookup's goes into the caller and a write's, which is long, into a function of
    // its own: left to itself the compiler decides otherwise with probes than without, at a cost of ten to twenty
    // instructions. (Locked lookups out of line were 15 % slower.) Attached, both are inlined beside the clock reads.
    struct assign_arguments {
        const K& key;
        V& value;
    };
    struct assign_body {
        table_map* map;
        const assign_arguments* arguments;
        [[gnu::noinline]] bool operator()(untimed& running) const { return work(running); }
        [[gnu::always_inline]] bool operator()(auto& running) const { return work(running); }
        [[gnu::always_inline]] bool work(auto& running) const {
            return map->write_in(running, arguments->key, [this](table& in, std::uint64_t hash, auto& observer) {
                return in.assign(arguments->key, std::move(arguments->value), hash, observer);
            });
        }
    };
    // A write whose outcome a function of the caller's decides, which write(table, hash, observer) calls. audit() is
    // given one pointer, as its closures are to be small.
    template <op Op, class Q, class Write>
    bool decide(const Q& key, const Write& write) {
        const auto work = [&](auto& running) { return write_in(running, key, write); };
        return audit<Op>(handle_, [&work](auto& running) { return work(running); });
    }
    template <class Q, class F>
    bool update_any(const Q& key, F& f) {
        return decide<op::assign>(
            key, [&](table& in, std::uint64_t hash, auto& observer) { return in.update(key, f, hash, observer); });
    }
    template <class Q, class F>
    bool erase_if_any(const Q& key, F& f) {
        require_judge<F, V>();
        return decide<op::erase>(
            key, [&](table& in, std::uint64_t hash, auto& observer) { return in.erase_if(key, f, hash, observer); });
    }
    template <class Q>
    struct erase_body {
        table_map* map;
        taken<Q> key;
        [[gnu::noinline]] bool operator()(untimed& running) const { return work(running); }
        [[gnu::always_inline]] bool operator()(auto& running) const { return work(running); }
        [[gnu::always_inline]] bool work(auto& running) const {
            return map->write_in(running, key.it, [this](table& in, std::uint64_t hash, auto& observer) {
                return in.erase(key.it, hash, observer);
            });
        }
    };
    // A small value and whether there is one, in two registers. GCC makes an std::optional of them in memory, in
    // halves, and copies it as a whole wherever the attached and the unattached path meet: two failed store
    // forwardings, 5 ns.
    struct found_scalar {
        V value;
        bool there;
    };
    static constexpr bool in_register =
        std::is_trivially_copyable_v<V> && std::is_default_constructible_v<V> && sizeof(V) <= sizeof(void*);
    using found = std::conditional_t<in_register, found_scalar, std::optional<V>>;
    template <class Q>
    struct lookup_body {
        const table_map* map;
        taken<Q> key;
        template <class Running>
        [[gnu::always_inline]] found operator()(Running& running) const {
            const std::uint64_t hash = map->hash_of(key.it);
            const part& mine = map->parts_.begin()[map->parts_.index_of(hash)];
            if constexpr (access::checked)
                if (mine.access.is_written()) [[unlikely]]
                    return disturbed(map, &mine, key, hash);
            [[maybe_unused]] auto guard = mine.access.read(running, *map);
            return find(mine, key.it, hash);
        }
        [[gnu::always_inline]] static found find(const part& in, const Q& key, std::uint64_t hash) {
            const V* value = in.table.find(key, hash);
            if (value == nullptr) return found{};
            if constexpr (in_register)
                return found{*value, true};
            else
                return *value;
        }
        [[gnu::noinline, gnu::cold]] static found disturbed(const table_map* map, const part* in, taken<Q> key,
                                                            std::uint64_t hash) {
            in->access.read_beside_a_write(*map);
            return find(*in, key.it, hash);
        }
    };
    template <class Q>
    [[gnu::always_inline]] std::optional<V> lookup_any(const Q& key) const {
        const auto result = audit<op::lookup>(handle_, lookup_body<const Q>{this, {key}});
        if constexpr (std::is_same_v<decltype(result), const found_scalar>) {
            if (!result.there) return std::nullopt;
            return result.value;
        } else {
            return result;
        }
    }
    template <class Q, class F>
    struct visit_body {
        const table_map* map;
        taken<Q> key;
        taken_callable<F> f;
        template <class Running>
        [[gnu::always_inline]] bool operator()(Running& running) {
            const std::uint64_t hash = map->hash_of(key.it);
            const part& mine = map->parts_.begin()[map->parts_.index_of(hash)];
            if constexpr (access::checked)
                if (mine.access.is_written()) [[unlikely]]
                    mine.access.read_beside_a_write(*map);
            [[maybe_unused]] auto guard = mine.access.read(running, *map);
            const V* value = mine.table.find(key.it, hash);
            if (value == nullptr) return false;
            std::invoke(f.it, *value);
            return true;
        }
    };

    template <class Running, class Q, class Write>
    [[gnu::always_inline]] bool write_in(Running& running, const Q& key, const Write& write) {
        const std::uint64_t hash = hash_of(key);
        const std::uint32_t index = parts_.index_of(hash);
        part& mine = parts_.begin()[index];
        auto guard = mine.access.write(running, *this);
        const bool changed = observed(running, handle_, index, mine.table.live().grows,
                                      [&](auto&& observer) { return write(mine.table, hash, observer); });
        guard.unlock();
        return changed;
    }

    template <class Q>
    [[gnu::always_inline]] std::uint64_t hash_of(const Q& key) const {
        return parts_.begin()->table.hash_of(key);
    }

    // Part by part: of a map being written to, the sum need never have been true at one moment.
    sums totals() const {
        sums all;
        for (const part& mine : parts_) {
            [[maybe_unused]] auto guard = mine.access.inspect(*this);
            all.size += mine.table.size();
            all.buckets += mine.table.bucket_count();
            all.overflow += mine.table.live().overflow;
            all.grows += mine.table.live().grows;
        }
        return all;
    }

    live_fields published() const noexcept {
        const auto& live = parts_.begin()->table.live();
        return {.size = {&live.size},
                .buckets = {&live.log2, true},
                .overflow = {&live.overflow},
                .grows = {&live.grows},
                .parts = parts_.count(),
                .stride = sizeof(part),
                .checked = access::checked};
    }

    parts parts_;
    text_of<Allocator> name_;
    map_handle handle_;
};

}  // namespace mapaudit::detail

#endif
