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

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include <mapaudit/probes.h>
#include <mapaudit/detail/audited_map.hpp>
#include <mapaudit/detail/go_cursor.hpp>
#include <mapaudit/detail/go_table.hpp>
#include <mapaudit/detail/growth_collector.hpp>
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

template <class K, class V, class Hash, class Equal, class Design, class Allocator>
class table_map : public audited_map<table_map<K, V, Hash, Equal, Design, Allocator>, K, V, Hash, Equal, Allocator> {
    using base = audited_map<table_map, K, V, Hash, Equal, Allocator>;
    using table = go_table<K, V, Hash, Equal, Allocator>;
    using access = typename Design::access;
    using part = table_part<access, table>;
    using parts = typename Design::template parts<part, Allocator>;
    friend base;
    friend access;

public:
    static constexpr std::string_view kind = Design::kind;
    static constexpr bool concurrent = Design::concurrent;

    // Said here as well: else the compiler says it of every part of the map.
    table_map(const table_map&) = delete;
    table_map& operator=(const table_map&) = delete;

protected:
    template <class... Args>
    explicit table_map(const Allocator& allocator, std::string_view name, std::size_t reserve, const Args&... args)
        : parts_(allocator, reserve, args...), name_(name, allocator), handle_(kind, name, published()) {}
    ~table_map() = default;

    const parts& all_parts() const noexcept { return parts_; }

private:
    // From a random start.
    template <class F>
    void each_element(F& f) const {
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
    void clear_elements() {
        for (part& mine : parts_) {
            auto guard = mine.access.rewrite(*this);
            mine.table.clear();
            guard.unlock();
        }
    }
    // Part by part: of a map being written to, the sum need never have been true at one moment.
    map_totals totals() const {
        map_totals all;
        for (const part& mine : parts_) {
            [[maybe_unused]] auto guard = mine.access.inspect(*this);
            const auto& live = mine.table.live();
            all += {mine.table.size(), mine.table.bucket_count(), live.overflow, live.grows};
        }
        return all;
    }

    // The audited bodies. Unattached, a lookup's goes into the caller and a write's, which is long, into a function of
    // its own: left to itself the compiler decides otherwise with probes than without, at a cost of ten to twenty
    // instructions. (Locked lookups out of line were 15 % slower.) Attached, both are inlined beside the clock reads.
    struct assign_body {
        table_map* map;
        const typename base::assign_arguments* arguments;
        [[gnu::noinline]] bool operator()(untimed& running) const { return work(running); }
        [[gnu::always_inline]] bool operator()(auto& running) const { return work(running); }
        [[gnu::always_inline]] bool work(auto& running) const {
            return map->write(running, arguments->key, [this](table& in, std::uint64_t hash, auto& observer) {
                return in.assign(arguments->key, std::move(arguments->value), hash, observer);
            });
        }
    };
    template <class Q>
    struct erase_body {
        table_map* map;
        taken<Q> key;
        [[gnu::noinline]] bool operator()(untimed& running) const { return work(running); }
        [[gnu::always_inline]] bool operator()(auto& running) const { return work(running); }
        [[gnu::always_inline]] bool work(auto& running) const {
            return map->write(running, key.it, [this](table& in, std::uint64_t hash, auto& observer) {
                return in.erase(key.it, hash, observer);
            });
        }
    };
    template <class Q>
    struct lookup_body {
        const table_map* map;
        taken<Q> key;
        template <class Running>
        [[gnu::always_inline]] found<V> operator()(Running& running) const {
            const std::uint64_t hash = map->hash_of(key.it);
            const part& mine = map->parts_.begin()[map->parts_.index_of(hash)];
            if constexpr (access::checked)
                if (mine.access.is_written()) [[unlikely]]
                    return beside_a_write(map, &mine, key, hash);
            [[maybe_unused]] auto guard = mine.access.read(running, *map);
            return find(mine, key.it, hash);
        }
        [[gnu::always_inline]] static found<V> find(const part& in, const Q& key, std::uint64_t hash) {
            const V* value = in.table.find(key, hash);
            if (value == nullptr) return found<V>{};
            if constexpr (found_in_register<V>)
                return found<V>{*value, true};
            else
                return *value;
        }
        [[gnu::noinline, gnu::cold]] static found<V> beside_a_write(const table_map* map, const part* in, taken<Q> key,
                                                                    std::uint64_t hash) {
            in->access.read_beside_a_write(*map);
            return find(*in, key.it, hash);
        }
    };
    // erase_if's; erase has a body of its own.
    template <class Running, class Q, class F>
    bool erase_in(Running& running, const Q& key, F& f) {
        return write(running, key, [&](table& in, std::uint64_t hash, auto& observer) {
            return in.erase_if(key, f, hash, observer);
        });
    }
    template <class Running, class Q, class F>
    bool update_in(Running& running, const Q& key, F& f) {
        return write(running, key,
                     [&](table& in, std::uint64_t hash, auto& observer) { return in.update(key, f, hash, observer); });
    }
    template <class Running, class F>
    bool upsert_in(Running& running, const K& key, V&& value, F& f) {
        return write(running, key, [&](table& in, std::uint64_t hash, auto& observer) {
            return in.upsert(key, std::move(value), f, hash, observer);
        });
    }
    // What write(table, hash, observer) does to the key's part.
    template <class Running, class Q, class Write>
    [[gnu::always_inline]] bool write(Running& running, const Q& key, const Write& write_to) {
        const std::uint64_t hash = hash_of(key);
        const std::uint32_t index = parts_.index_of(hash);
        part& mine = parts_.begin()[index];
        auto guard = mine.access.write(running, *this);
        const bool changed = observed(running, handle_, index, mine.table.live().grows,
                                      [&](auto&& observer) { return write_to(mine.table, hash, observer); });
        guard.unlock();
        return changed;
    }

    template <class Running, class Q, class F>
    [[gnu::always_inline]] bool visit_in(Running& running, const Q& key, F& f) const {
        const std::uint64_t hash = hash_of(key);
        const part& mine = parts_.begin()[parts_.index_of(hash)];
        if constexpr (access::checked)
            if (mine.access.is_written()) [[unlikely]]
                mine.access.read_beside_a_write(*this);
        [[maybe_unused]] auto guard = mine.access.read(running, *this);
        const V* value = mine.table.find(key, hash);
        if (value == nullptr) return false;
        std::invoke(f, *value);
        return true;
    }

    template <class Q>
    [[gnu::always_inline]] std::uint64_t hash_of(const Q& key) const {
        return parts_.begin()->table.hash_of(key);
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

    parts parts_;  // first: an operation then finds it at the map's own address
    text_of<Allocator> name_;
    map_handle handle_;
};

}  // namespace mapaudit::detail

#endif
