// SPDX-License-Identifier: Apache-2.0
//
// cas_map: a power of two of shards whose elements are overwritten in place by compare-and-swap: no lock and no
// allocation for a write to a key that is there. Insertions and erasures lock their shard. Needs liburcu. The value
// must be trivially copyable.
//
//   Update       update()'s and upsert()'s f works without a lock on a copy, and is called again with a newer one when
//                another write came between; update()'s may call the map. upsert()'s f of a key that is absent, and
//                erase_if()'s, is called with the shard's lock held: neither may write to the map (deadlock). What they
//                throw changes nothing.
//   Progress     lookup, visit, and assign and upsert of a key that is there take no lock; an element being overwritten
//                holds up those who want that same key for the time of a copy of its value. Insertion and erasure
//                block, by shard.
//   Consistency  operations on keys are linearizable; a value is seen whole or not at all. size(), clear() and
//                the other totals go shard by shard: of a map being written to, what they return need never have been
//                true at one moment.
//   for_each     takes no lock: an element that is there throughout is visited exactly once, one that comes or goes
//                meanwhile once or not at all. It and visit() hand over a copy, and their callbacks may call the map.
//   Growth       a shard at a time under its lock, by copying addresses; readers and overwriting writers go on in the
//                older array, which leads to the same elements. A growth without memory is put off.
//   Memory       the allocator's, given back by any writing thread, or reclaim(), a batch late; liburcu's record of
//                each reading thread is its own.
//   Exceptions   assign is strong.
#ifndef MAPAUDIT_CAS_MAP_HPP
#define MAPAUDIT_CAS_MAP_HPP

#include <cmath>
#include <memory>
#include <new>

#include <mapaudit/detail/audited_map.hpp>
#include <mapaudit/detail/lock_access.hpp>
#include <mapaudit/detail/sequenced.hpp>
#include <mapaudit/detail/slot_table.hpp>

namespace mapaudit {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class cas_map : public detail::audited_map<cas_map<K, V, Hash, Equal, Allocator>, K, V, Hash, Equal, Allocator> {
    static_assert(std::is_trivially_copyable_v<V>,
                  "cas_map overwrites values in place while others read them: the value must be trivially copyable "
                  "(tophash_map takes any)");
    using base = detail::audited_map<cas_map, K, V, Hash, Equal, Allocator>;
    friend base;

    struct element : detail::retirable_of<element, Allocator> {
        element(std::uint64_t h, const K& k, const V& v) : hash(h), key(k), value(v) {}
        const std::uint64_t hash;
        const K key;
        detail::sequenced<V> value;
    };
    using table = detail::slot_table<element, Allocator>;
    using lock = detail::owned_lock<std::mutex>;

    struct alignas(64) shard {
        shard(const Allocator& a, unsigned log2) : elements(new_table(a, log2)), allocator(a) {
            signs.buckets = std::uint64_t{1} << log2;
        }
        ~shard() {
            table* t = elements.load(std::memory_order_relaxed);
            t->each([this](element& e) { detail::destroy_with(allocator, &e); });
            detail::destroy_with(allocator, t);
        }
        // On a line of their own what every operation reads, and what insertions and erasures write.
        std::atomic<table*> elements;
        alignas(64) lock mutex;
        detail::vital_signs signs;
        [[no_unique_address]] Allocator allocator;
    };

public:
    static constexpr std::string_view kind = "cas_map";
    static constexpr bool concurrent = true;
    static constexpr std::size_t default_shards = 32, most_shards = 65536;

    // `shards` is rounded up to a power of two, at most 65536.
    explicit cas_map(std::string_view name = {}, std::size_t reserve = 0, std::size_t shards = default_shards,
                     const Allocator& allocator = Allocator())
        : name_(name, allocator),
          allocator_(allocator),
          mask_(std::bit_ceil(shards < 1             ? 1
                              : shards > most_shards ? most_shards
                                                     : shards) -
                1),
          shards_(allocator, mask_ + 1, allocator, share_log2(mask_ + 1, reserve)),
          retired_(allocator),
          handle_(kind, name, shards_[0].signs.published(static_cast<std::uint32_t>(mask_ + 1), sizeof(shard))) {}

    std::size_t shard_count() const noexcept { return mask_ + 1; }

    // Destroys what was erased so far; waits for the readers that are under way.
    void reclaim() { retired_.reclaim(); }

private:
    static table* new_table(const Allocator& allocator, unsigned log2) {
        return detail::make_with<table>(allocator, log2, allocator);
    }
    // Shards fill unevenly: four standard deviations more than their share.
    static unsigned share_log2(std::size_t count, std::size_t reserve) noexcept {
        const double share = static_cast<double>(reserve) / static_cast<double>(count);
        return table::log2_for(static_cast<std::size_t>(share + 4 * std::sqrt(share) + 0.5));
    }

    template <class Q>
    std::uint64_t hash_of(const Q& key) const {
        return detail::mix(static_cast<std::uint64_t>(hash_(key)));
    }
    // By the bits below the tophash's eight, far above those that choose a bucket.
    shard& shard_of(std::uint64_t hash) const noexcept { return shards_[hash >> 40 & mask_]; }

    template <class F>
    void each_element(F& f) const {
        for (std::size_t i = 0; i <= mask_; ++i) {
            detail::read_section reading;
            shards_[i].elements.load(std::memory_order_acquire)->each([&](const element& e) {
                e.value.read([&](const V& value) { std::invoke(f, e.key, value); });
            });
        }
    }
    void clear_elements() {
        for (std::size_t i = 0; i <= mask_; ++i) {
            shard& s = shards_[i];
            detail::whole_map_guard<lock, false> guard(s.mutex, handle_.id());
            table* old = s.elements.load(std::memory_order_relaxed);
            s.elements.store(new_table(allocator_, old->log2()), std::memory_order_release);
            old->each([this](element& e) {
                e.value.kill();
                retired_.retire(&e);
            });
            retired_.retire(old);
            s.signs.emptied();
        }
        retired_.reclaim();
    }
    detail::map_totals totals() const noexcept {
        detail::map_totals all;
        for (std::size_t i = 0; i <= mask_; ++i) all += shards_[i].signs.totals();
        return all;
    }

    template <class Running, class Q, class F>
    bool visit_in(Running&, const Q& key, F& f) const {
        const std::uint64_t hash = hash_of(key);
        detail::read_section reading;
        const auto found = shard_of(hash).elements.load(std::memory_order_acquire)->locate(key, hash, equal_);
        return found.element != nullptr && found.element->value.read(f);
    }

    template <class Running>
    bool assign_in(Running& running, const K& key, V&& value) {
        const std::uint64_t hash = hash_of(key);
        shard& s = shard_of(hash);
        {
            detail::read_section reading;
            const auto found = s.elements.load(std::memory_order_acquire)->locate(key, hash, equal_);
            if (found.element != nullptr && found.element->value.overwrite(value)) return false;
        }
        auto fresh = detail::own_with<element>(allocator_, hash, key, value);
        detail::running_guard<Running, lock, false> guard(running, s.mutex);
        table& t = *s.elements.load(std::memory_order_relaxed);
        if (const auto found = t.locate(key, hash, equal_); found.element != nullptr) {
            found.element->value.overwrite(value);  // elements are killed under the lock only: this one lives
            return false;
        }
        insert(running, s, t, hash, fresh);
        guard.unlock();
        retired_.reclaim_when_full();
        return true;
    }
    // Under the shard's lock: a key that is not there.
    template <class Running>
    [[gnu::always_inline]] void insert(Running& running, shard& s, table& t, std::uint64_t hash,
                                       detail::owned<element, Allocator>& fresh) {
        bool longer = false;
        const auto claimed = t.claim(hash, longer);
        table::fill(claimed, fresh.release());
        if (longer) detail::vital_signs::add(s.signs.overflow, 1);
        detail::vital_signs::add(s.signs.size, 1);
        if (s.signs.size > table::limit(t.log2())) [[unlikely]]
            grow(running, s);
    }

    template <class Running, class Q, class F>
    bool update_in(Running&, const Q& key, F& f) {
        const std::uint64_t hash = hash_of(key);
        return update_found(shard_of(hash), key, hash, f);
    }
    template <class Q, class F>
    bool update_found(shard& s, const Q& key, std::uint64_t hash, F& f) {
        detail::read_section reading;
        const auto found = s.elements.load(std::memory_order_acquire)->locate(key, hash, equal_);
        return found.element != nullptr &&
               found.element->value.update([&f](V& value) { return detail::changed_by(f, value); });
    }

    // A key that is there has f called without the lock; so has one that came while the lock was waited for.
    template <class Running, class F>
    bool upsert_in(Running& running, const K& key, V&& value, F& f) {
        const std::uint64_t hash = hash_of(key);
        shard& s = shard_of(hash);
        for (;;) {
            if (update_found(s, key, hash, f)) return false;
            detail::running_guard<Running, lock, false> guard(running, s.mutex);
            table& t = *s.elements.load(std::memory_order_relaxed);
            if (t.locate(key, hash, equal_).element != nullptr) continue;
            if (!detail::changed_by(f, value)) return false;
            auto fresh = detail::own_with<element>(allocator_, hash, key, value);
            insert(running, s, t, hash, fresh);
            guard.unlock();
            retired_.reclaim_when_full();
            return true;
        }
    }

    template <class Running, class Q, class F>
    bool erase_in(Running& running, const Q& key, F&& f) {
        const std::uint64_t hash = hash_of(key);
        shard& s = shard_of(hash);
        detail::running_guard<Running, lock, false> guard(running, s.mutex);
        const auto found = s.elements.load(std::memory_order_relaxed)->locate(key, hash, equal_);
        if (found.element == nullptr || !found.element->value.kill_if(f)) return false;
        table::empty(found);
        detail::vital_signs::take(s.signs.size, 1);
        guard.unlock();
        retired_.retire(found.element);
        retired_.reclaim_when_full();
        return true;
    }

    // Under the shard's lock.
    template <class Running>
    [[gnu::noinline]] void grow(Running& running, shard& s) {
        const std::uint64_t start = handle_.now();
        handle_.growing(true);
        try {
            table& old = *s.elements.load(std::memory_order_relaxed);
            const std::uint64_t buckets = old.bucket_count();
            std::uint64_t overflow = 0;
            s.elements.store(old.rebuilt(old.log2() + 1, overflow).release(), std::memory_order_release);
            retired_.retire(&old);
            detail::vital_signs::set(s.signs.buckets, 2 * buckets);
            detail::vital_signs::set(s.signs.overflow, overflow);
            detail::vital_signs::add(s.signs.grows, 1);
            running.grew({buckets, 2 * buckets, start == 0 ? 0 : handle_.now() - start, MAPAUDIT_GROW_LOAD,
                          static_cast<std::uint32_t>(&s - shards_.begin()), static_cast<std::uint32_t>(s.signs.grows)});
        } catch (const std::bad_alloc&) {
            // The element is in; chains get longer until a later insertion finds the memory.
        }
        handle_.growing(false);
    }

    detail::text_of<Allocator> name_;
    [[no_unique_address]] Hash hash_{};
    [[no_unique_address]] Equal equal_{};
    [[no_unique_address]] Allocator allocator_;
    std::size_t mask_;
    detail::fixed_array<shard, Allocator> shards_;
    alignas(64) detail::reclaimer<Allocator> retired_;  // written by erasures, what stands above is read by all
    map_handle handle_;
};

}  // namespace mapaudit

#endif
