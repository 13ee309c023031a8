// SPDX-License-Identifier: Apache-2.0
//
// cache_map: elements that expire (TTL), and of which the least recently used gives way when the map is full (LRU).
// Shards, each a std::mutex round a go_table and a list in order of use.
//
//   Eviction     An insertion into a full shard is followed by the erasure of the shard's least recently used element:
//                an audited operation of its own (`erase`), with its own latency. So the map may exceed its capacity by
//                one element a thread for the time between the two. lookup, visit, update, upsert and assign use an
//                element.
//   Update       update()'s and upsert()'s f works in place, erase_if()'s looks, with the shard's lock held; neither
//                may call the map (deadlock). What it throws leaves the value as f left it. The expiry stays.
//   Expiry       An element is not found any more from its expiry on, whether or not it has left. It leaves, by an
//                audited erase, when a look-up comes upon it, or by expire(). size() counts it until then.
//   Progress     blocking, by shard, readers too: they move what they find to the front.
//   Consistency  operations on keys are linearizable. size(), clear() and the other totals go shard by shard.
//   for_each     holds one shard's lock at a time and skips what has expired; an element that is there throughout is
//                visited exactly once. Its callback and visit()'s must not call the map (deadlock).
//   Growth       each shard on its own, under its lock, a bucket or two a write.
//   Exceptions   assign is strong, but for an overwritten value, which is as good as V's move assignment leaves it.
#ifndef MAPAUDIT_CACHE_MAP_HPP
#define MAPAUDIT_CACHE_MAP_HPP

#include <bit>
#include <chrono>
#include <cmath>
#include <memory>
#include <vector>

#include <mapaudit/detail/audited_map.hpp>
#include <mapaudit/detail/growth_tap.hpp>
#include <mapaudit/detail/lock_access.hpp>
#include <mapaudit/detail/lru_shard.hpp>

namespace mapaudit {

struct cache_limits {
    std::size_t capacity = 0;         // elements, shared out evenly among the shards; 0: no limit
    std::chrono::nanoseconds ttl{0};  // of elements assigned without one of their own; 0: they do not expire
    std::size_t shards = 0;           // rounded up to a power of two; 0: 16, or 1 where the capacity is under 1,024
};

// Clock: as in <chrono>, steady. A parameter for tests that make time pass.
template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Clock = std::chrono::steady_clock, class Allocator = std::allocator<std::pair<const K, V>>>
class cache_map
    : public detail::audited_map<cache_map<K, V, Hash, Equal, Clock, Allocator>, K, V, Hash, Equal, Allocator> {
    static_assert(Clock::is_steady, "a clock that is set back would bring back what has expired");
    static_assert(std::is_move_assignable_v<V>, "cache_map overwrites values in place: they must be move assignable");
    using base = detail::audited_map<cache_map, K, V, Hash, Equal, Allocator>;
    friend base;
    using shard = detail::lru_shard<K, V, Hash, Equal, Allocator>;
    using node = typename shard::node;
    using owned_node = typename shard::owned_node;
    using lock = typename shard::lock;
    template <class Running>
    using guard_of = detail::running_guard<Running, lock, false>;

public:
    static constexpr std::string_view kind = "cache_map";
    static constexpr bool concurrent = true;
    static constexpr std::size_t most_shards = 65536;

    explicit cache_map(std::string_view name = {}, std::size_t reserve = 0, const cache_limits& limits = {},
                       const Allocator& allocator = Allocator())
        : name_(name, allocator),
          allocator_(allocator),
          mask_(shards_for(limits) - 1),
          share_((limits.capacity + mask_) / (mask_ + 1)),
          ttl_(limits.ttl),
          shards_(allocator, mask_ + 1, allocator, share_of(reserve)),
          handle_(kind, name, shards_[0].signs.published(static_cast<std::uint32_t>(mask_ + 1), sizeof(shard))) {}

    std::size_t shard_count() const noexcept { return mask_ + 1; }
    // Elements that left by themselves since the map was made.
    std::uint64_t evictions() const noexcept { return evictions_.load(std::memory_order_relaxed); }
    std::uint64_t expirations() const noexcept { return expirations_.load(std::memory_order_relaxed); }

    // With a time to live of its own; 0: it does not expire. True when the key is new, or what it had has expired.
    bool assign_for(const K& key, V value, std::chrono::nanoseconds ttl) {
        const std::int64_t expires_ns = expiry_after(ttl);
        const bool is_new =
            audit<op::assign>(handle_, [&](auto& running) { return put(running, key, std::move(value), expires_ns); });
        if (share_ != 0 && is_new) make_room(shard_of(hash_of(key)));
        return is_new;
    }

    // Erases what has expired, each element by an audited operation; returns how many.
    std::size_t expire() {
        std::size_t gone = 0;
        for (std::size_t i = 0; i <= mask_; ++i) {
            std::vector<K, detail::rebound<Allocator, K>> keys(allocator_);
            {
                detail::whole_map_guard<lock, false> guard(shards_[i].mutex, handle_.id());
                for (const node* n = shards_[i].oldest; n != nullptr; n = n->newer)
                    if (expired(*n)) keys.push_back(n->key);
            }
            for (const K& key : keys) gone += expire_key(key) ? 1 : 0;
        }
        return gone;
    }

private:
    static std::size_t shards_for(const cache_limits& limits) noexcept {
        if (limits.shards != 0) return std::bit_ceil(limits.shards < most_shards ? limits.shards : most_shards);
        return limits.capacity != 0 && limits.capacity < 1'024 ? 1 : 16;
    }
    // Shards fill unevenly: four standard deviations more than their share.
    std::size_t share_of(std::size_t reserve) const noexcept {
        const double share = static_cast<double>(reserve) / static_cast<double>(mask_ + 1);
        return static_cast<std::size_t>(share + 4 * std::sqrt(share) + 0.5);
    }
    static std::int64_t now_ns() {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
    }
    [[gnu::always_inline]] static std::int64_t expiry_after(std::chrono::nanoseconds ttl) {
        return ttl.count() == 0 ? shard::never : now_ns() + ttl.count();
    }
    // Asks the clock only where the answer depends on it.
    static bool expired(const node& n) { return n.expires_ns != shard::never && now_ns() >= n.expires_ns; }

    template <class Q>
    std::uint64_t hash_of(const Q& key) const {
        return shards_[0].elements.hash_of(key);
    }
    // By the bits below the tophash's eight, far above those that choose a bucket.
    shard& shard_of(std::uint64_t hash) const noexcept { return shards_[hash >> 40 & mask_]; }
    std::uint32_t index_of(const shard& s) const noexcept { return static_cast<std::uint32_t>(&s - shards_.begin()); }

    template <class F>
    void each_element(F& f) const {
        for (std::size_t i = 0; i <= mask_; ++i) {
            detail::whole_map_guard<lock, false> guard(shards_[i].mutex, handle_.id());
            for (const node* n = shards_[i].newest; n != nullptr; n = n->older)
                if (!expired(*n)) std::invoke(f, n->key, std::as_const(n->value));
        }
    }
    void clear_elements() {
        for (std::size_t i = 0; i <= mask_; ++i) {
            detail::whole_map_guard<lock, false> guard(shards_[i].mutex, handle_.id());
            shards_[i].clear();
        }
    }
    detail::map_totals totals() const noexcept {
        detail::map_totals all;
        for (std::size_t i = 0; i <= mask_; ++i) all += shards_[i].signs.totals();
        return all;
    }

    // The operations that are more than one audited body: what they come upon expired leaves by an erase of its own,
    // and so does what has to make room.
    bool assign_any(const K& key, V& value) { return assign_for(key, std::move(value), ttl_); }
    template <class Q, class F>
    bool visit_any(const Q& key, std::remove_reference_t<F>& f) const {
        return use<op::lookup>(key, [&f](V& value) { std::invoke(f, std::as_const(value)); });
    }
    template <class Q>
    std::optional<V> lookup_any(const Q& key) const {
        std::optional<V> found;
        use<op::lookup>(key, [&found](V& value) { found.emplace(std::as_const(value)); });
        return found;
    }
    // The element's expiry stays what it was.
    template <class Q, class F>
    bool update_any(const Q& key, F& f) {
        return use<op::assign>(key, [&f](V& value) { detail::changed_by(f, value); });
    }
    // What has expired is as good as absent: `value` takes its place, with the map's time to live.
    template <class F>
    bool upsert_any(const K& key, V& value, F& f) {
        const std::int64_t expires_ns = expiry_after(ttl_);
        const bool is_new = audit<op::assign>(
            handle_, [&](auto& running) { return put_or_change(running, key, std::move(value), expires_ns, f); });
        if (share_ != 0 && is_new) make_room(shard_of(hash_of(key)));
        return is_new;
    }

    // An operation on an element that is there and counts as used.
    template <op Op, class Q, class Work>
    bool use(const Q& key, Work work) const {
        bool stale = false;
        const bool found = audit<Op>(handle_, [&](auto& running) {
            const std::uint64_t hash = hash_of(key);
            shard& s = shard_of(hash);
            guard_of<std::remove_reference_t<decltype(running)>> guard(running, s.mutex);
            node* n = s.find(key, hash);
            stale = n != nullptr && expired(*n);
            if (n == nullptr || stale) return false;
            s.use(n);
            work(n->value);
            return true;
        });
        if (stale) expire_key(key);
        return found;
    }

    // Out of line: inlined into assign's body it would need a frame for the arguments, at eight instructions.
    template <class Running>
    [[gnu::noinline]] bool put(Running& running, const K& key, V&& value, std::int64_t expires_ns) {
        const std::uint64_t hash = hash_of(key);
        shard& s = shard_of(hash);
        guard_of<Running> guard(running, s.mutex);
        if (node* n = s.find(key, hash)) {
            const bool is_new = expired(*n);
            if (is_new) expirations_.fetch_add(1, std::memory_order_relaxed);
            overwrite(s, *n, std::move(value), expires_ns);
            return is_new;
        }
        return insert(running, s, hash, key, std::move(value), expires_ns);
    }
    template <class Running, class F>
    bool put_or_change(Running& running, const K& key, V&& value, std::int64_t expires_ns, F& f) {
        const std::uint64_t hash = hash_of(key);
        shard& s = shard_of(hash);
        guard_of<Running> guard(running, s.mutex);
        node* n = s.find(key, hash);
        if (n != nullptr && !expired(*n)) {
            s.use(n);
            detail::changed_by(f, n->value);
            return false;
        }
        if (!detail::changed_by(f, value)) return false;
        if (n == nullptr) return insert(running, s, hash, key, std::move(value), expires_ns);
        expirations_.fetch_add(1, std::memory_order_relaxed);
        overwrite(s, *n, std::move(value), expires_ns);
        return true;
    }
    [[gnu::always_inline]] static void overwrite(shard& s, node& n, V&& value, const std::int64_t& expires_ns) {
        n.value = std::move(value);
        n.expires_ns = expires_ns;
        s.use(&n);
    }
    template <class Running>
    [[gnu::always_inline]] bool insert(Running& running, shard& s, std::uint64_t hash, const K& key, V&& value,
                                       const std::int64_t& expires_ns) {
        owned_node fresh = detail::own_with<node>(allocator_, key, std::move(value), expires_ns);
        detail::growth_tap tap(handle_, s.signs, index_of(s));
        s.insert(fresh, hash, tap);
        tap.tell(running);
        return true;
    }

    // Erases the element that `choose(shard)` gives, if any. What it held is destroyed after the critical section.
    template <class Running, class Choose>
    bool take(Running& running, shard& s, Choose choose) const {
        owned_node gone(nullptr, {allocator_});
        guard_of<Running> guard(running, s.mutex);
        node* n = choose(s);
        if (n == nullptr) return false;
        detail::growth_tap tap(handle_, s.signs, index_of(s));
        gone = s.remove(n, hash_of(n->key), tap);
        tap.tell(running);
        guard.unlock();
        return true;
    }
    template <class Running, class Q, class F>
    bool erase_in(Running& running, const Q& key, F&& f) {
        const std::uint64_t hash = hash_of(key);
        bool stale = false;
        const bool erased = take(running, shard_of(hash), [&](shard& s) {
            node* n = s.find(key, hash);
            stale = n != nullptr && expired(*n);
            return n != nullptr && (stale || std::invoke(f, std::as_const(n->value))) ? n : nullptr;
        });
        if (stale) expirations_.fetch_add(1, std::memory_order_relaxed);
        return erased && !stale;
    }
    template <class Q>
    bool expire_key(const Q& key) const {
        const bool erased = audit<op::erase>(handle_, [&](auto& running) {
            const std::uint64_t hash = hash_of(key);
            return take(running, shard_of(hash), [&](shard& s) {
                node* n = s.find(key, hash);
                return n != nullptr && expired(*n) ? n : nullptr;  // it may have been assigned again
            });
        });
        if (erased) expirations_.fetch_add(1, std::memory_order_relaxed);
        return erased;
    }
    void make_room(shard& s) {
        while (detail::vital_signs::get(s.signs.size) > share_) {
            const bool evicted = audit<op::erase>(handle_, [&](auto& running) {
                return take(running, s,
                            [&](shard& full) { return full.elements.size() > share_ ? full.oldest : nullptr; });
            });
            if (!evicted) return;  // others were faster
            evictions_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    detail::text_of<Allocator> name_;
    [[no_unique_address]] Allocator allocator_;
    std::size_t mask_;
    std::size_t share_;  // of the capacity, a shard's; 0: no limit
    std::chrono::nanoseconds ttl_;
    detail::fixed_array<shard, Allocator> shards_;
    std::atomic<std::uint64_t> evictions_ = 0;
    mutable std::atomic<std::uint64_t> expirations_ = 0;
    map_handle handle_;
};

}  // namespace mapaudit

#endif
