// SPDX-License-Identifier: Apache-2.0
//
// Go's classic map (before 1.24) as a C++ class: the table alone, without locks and without probes.
//
//   current_ ──► [ bucket 0 ][ bucket 1 ] … [ bucket 2^B - 1 ]      index: the low B bits of the mixed hash
//                     └─► overflow ─► overflow                      within a bucket: by tophash, the hash's top 8 bits
//   old_     ──► [ bucket 0 ] … [ bucket 2^b - 1 ]                  only while growing; b = B - 1, or B at the same
//   size
//
// Growth. An insertion that would take the table past 6.5 elements a bucket doubles it; one that finds as many overflow
// buckets as buckets repacks it at its size (Go's rule is noverflow >= 2^min(B, 15), with a counter that above B = 15
// counts one in 2^(B-15): the same in exact figures). Either only allocates; each later assign or erase then evacuates
// the old bucket it is about to touch and one more. Until a bucket is evacuated its elements are found where they were.
// A chain is evacuated in order and its tophash bytes then say where each slot went, which is what a cursor
// (go_cursor.hpp) needs to find its place again; arrays stay allocated while there are cursors.
//
// Exceptions. assign is strong: if allocation, hash, equal or a copy throws, the elements are what they were. What can
// be moved without throwing is moved, what cannot is copied. erase throws only what hash and equal throw of its own
// key: evacuation that fails is put off.
//
// Not thread-safe; reading in several threads at once, cursors included, is fine. References to elements last until
// the next assign or erase: either may evacuate.
#ifndef MAPAUDIT_DETAIL_GO_TABLE_HPP
#define MAPAUDIT_DETAIL_GO_TABLE_HPP

#include <atomic>
#include <memory>
#include <utility>

#include <mapaudit/probe_abi.h>
#include <mapaudit/detail/go_bucket.hpp>
#include <mapaudit/detail/updating.hpp>

namespace mapaudit::detail {

template <class Table>
class go_cursor;

// What a table tells while it works. now() is the clock for durations, 0 when nobody wants them.
struct silent_observer {
    std::uint64_t now() const noexcept { return 0; }
    // Around allocation and evacuation; what throws in between leaves it at true until the operation ends.
    void growing(bool /*is*/) const noexcept {}
    void grew(std::uint64_t /*old_buckets*/, std::uint64_t /*new_buckets*/, std::uint64_t /*duration_ns*/,
              mapaudit_grow_reason) const noexcept {}
    // Called at each eighth of the way and at its end.
    void evacuated(std::uint64_t /*done*/, std::uint64_t /*total*/) const noexcept {}
};

template <class K, class V, class Hash, class Equal, class Allocator = std::allocator<std::pair<const K, V>>>
class go_table {
public:
    using key_type = K;
    using mapped_type = V;
    using slot = go_slot<K, V>;
    using bucket = go_bucket<K, V>;
    using array = bucket_array<bucket, rebound<Allocator, bucket>>;
    using cursor = go_cursor<go_table>;

    static_assert(std::is_copy_constructible_v<K>, "a map's key must be copy constructible: assign() copies it");
    static_assert(std::is_move_constructible_v<V> && std::is_move_assignable_v<V>,
                  "a map's value must be move constructible and move assignable");
    static_assert(std::is_nothrow_move_constructible_v<slot> || std::is_copy_constructible_v<slot>,
                  "growth moves elements: key and value must be nothrow move constructible, or copy constructible");

    // The memory that may be read from outside while the table works.
    struct counters {
        std::uint64_t size = 0;
        std::uint64_t overflow = 0;  // overflow buckets of the current array
        std::uint64_t grows = 0;     // of both kinds, since the table was made
        std::uint8_t log2 = 0;       // B
    };

    explicit go_table(std::size_t reserve = 0, const Allocator& allocator = Allocator()) : allocator_(allocator) {
        presize(reserve);
    }
    go_table(const go_table&) = delete;
    go_table& operator=(const go_table&) = delete;
    ~go_table() {
        if constexpr (!std::is_trivially_destructible_v<slot>) empty_all_chains();
        while (oldest_ != nullptr) destroy_with(allocator_, std::exchange(oldest_, oldest_->newer));
    }

    // Room for `elements` without growing. Only before the first assign.
    void presize(std::size_t elements) {
        if (current_ != nullptr || elements == 0) return;
        unsigned log2 = 0;
        while (elements > limit(std::uint64_t{1} << log2)) ++log2;
        adopt(new_array(log2));
        oldest_ = current_;
    }

    // To be computed once and handed to the functions below. A Q is a K, or what Hash and Equal take for one.
    template <class Q>
    std::uint64_t hash_of(const Q& key) const {
        return mix(static_cast<std::uint64_t>(hash_(key)));
    }

    template <class Q>
    const V* find(const Q& key, std::uint64_t hash) const {
        const position p = locate(key, hash);
        return p.at == nullptr ? nullptr : &p.at->at(p.index).value;
    }

    // Inserts or overwrites; true when the key is new. `value` is left alone when the key cannot be inserted.
    template <class Observer>
    bool assign(const K& key, V&& value, std::uint64_t hash, Observer&& observer);

    // Calls f(value) in place; false when there is no such key. What f throws leaves the value as f left it.
    template <class Q, class F, class Observer>
    bool update(const Q& key, F& f, std::uint64_t hash, Observer&& observer);

    // Calls f(value) in place as update does, or calls f with `value` and inserts that unless f says that it left it
    // alone; true when the key is new.
    template <class F, class Observer>
    bool upsert(const K& key, V&& value, F& f, std::uint64_t hash, Observer&& observer);

    // True when the key was there.
    template <class Q, class Observer>
    bool erase(const Q& key, std::uint64_t hash, Observer&& observer) {
        whatever_it_is f;
        return erase_if(key, f, hash, observer);
    }
    // True when the key was there and f(value), which says whether it goes, true.
    template <class Q, class F, class Observer>
    [[gnu::always_inline]] bool erase_if(const Q& key, F& f, std::uint64_t hash, Observer&& observer);

    // Keeps the current array, ends a growth that is under way.
    void clear() noexcept;

    const counters& live() const noexcept { return counters_; }
    std::uint64_t size() const noexcept { return counters_.size; }
    std::uint64_t bucket_count() const noexcept { return mask_ + 1; }
    bool growing() const noexcept { return old_buckets_ != nullptr; }

private:
    friend cursor;

    struct position {
        bucket* at;
        unsigned index;
    };
    // Where a chain being filled in order goes on.
    struct filler {
        bucket* at;
        unsigned index = 0;
    };
    static constexpr bool moves = std::is_nothrow_move_constructible_v<slot>;

    // Elements that `buckets` take before they double: 13/2 each, but a lone bucket is filled.
    static constexpr std::uint64_t limit(std::uint64_t buckets) noexcept {
        return buckets == 1 ? slots_per_bucket : 13 * (buckets / 2);
    }
    bool overloaded() const noexcept { return counters_.size >= limit(mask_ + 1); }
    bool must_grow() const noexcept { return !growing() && (overloaded() || counters_.overflow > mask_); }

    array* new_array(unsigned log2) const {
        return make_with<array>(allocator_, log2, rebound<Allocator, bucket>(allocator_));
    }
    void adopt(array* fresh) noexcept {
        current_ = fresh;
        buckets_ = fresh->buckets();
        mask_ = fresh->mask();
        counters_.log2 = static_cast<std::uint8_t>(fresh->log2());
    }

    // First bucket of the chain that holds, or would hold, what has this hash.
    [[gnu::always_inline]] bucket* chain_of(std::uint64_t hash) const noexcept {
        bucket* head = buckets_ + (hash & mask_);
        if (old_buckets_ != nullptr) [[unlikely]] {
            bucket* old = old_buckets_ + (hash & old_mask_);
            if (!old->evacuated()) head = old;
        }
        return head;
    }
    template <class Q>
    [[gnu::always_inline]] position locate(const Q& key, std::uint64_t hash) const {
        const std::uint8_t top = tophash(hash);
        bucket* at = chain_of(hash);
        at->fetch_slots();
        for (;;) {
            for (auto found = tops_reader::matching(at->tops, top); found; found.drop_first()) {
                const unsigned index = found.first();
                if (equal_(at->at(index).key, key)) [[likely]]
                    return {at, index};
            }
            if (at->ends_chain()) [[likely]]
                return {nullptr, 0};
            at = at->overflow;
        }
    }

    template <class Observer>
    [[gnu::always_inline]] void insert_new(const K& key, V&& value, std::uint64_t hash, Observer& observer) {
        if (current_ == nullptr) [[unlikely]]
            presize(1);
        if (must_grow()) [[unlikely]] {
            start_growth(observer);
            work(hash, observer);
        }
        insert(chain_of(hash), key, std::move(value), tophash(hash));
    }
    void insert(bucket* head, const K& key, V&& value, std::uint8_t top);
    void release(bucket* head, position where) noexcept;
    template <class Observer>
    void start_growth(Observer& observer);
    template <class Observer>
    void work(std::uint64_t hash, Observer& observer);
    // What throws is put off: an element may be changed and leave as well from where it is.
    template <class Observer>
    [[gnu::always_inline]] void work_if_possible(std::uint64_t hash, Observer& observer) {
        if (oldest_ == current_) [[likely]]
            return;
        try {
            work(hash, observer);
        } catch (...) {
        }
    }
    void evacuate(std::uint64_t index);
    void transfer(bucket* head, filler (&to)[2]);
    void take_back(bucket* head, filler (&from)[2]) noexcept;
    position next_of(filler& to);
    void drop_retired() noexcept;
    void empty_chain(bucket* head) noexcept;
    void empty_all_chains() noexcept;

    // Look-ups of a table that has no array yet find nothing in this one; nothing is ever written to it.
    inline static constinit bucket no_bucket{};

    bucket* buckets_ = &no_bucket;
    std::uint64_t mask_ = 0;
    bucket* old_buckets_ = nullptr;
    std::uint64_t old_mask_ = 0;
    [[no_unique_address]] Hash hash_{};
    [[no_unique_address]] Equal equal_{};
    [[no_unique_address]] Allocator allocator_;
    array* current_ = nullptr;
    array* old_ = nullptr;
    array* oldest_ = nullptr;  // of the list oldest_ ─newer─► … old_ ─► current_; before old_: kept for cursors only
    counters counters_;
    std::uint64_t evacuated_ = 0;  // old buckets done
    std::uint64_t next_ = 0;       // the old bucket to look at when the one written to is done
    std::uint8_t eighths_ = 0;     // of the evacuation, reported
    mutable std::atomic<std::uint32_t> cursors_ = 0;
};

template <class K, class V, class Hash, class Equal, class Allocator>
template <class Observer>
bool go_table<K, V, Hash, Equal, Allocator>::assign(const K& key, V&& value, std::uint64_t hash, Observer&& observer) {
    // One expression covers "growing" and "arrays kept for cursors that may have gone".
    if (oldest_ != current_) [[unlikely]]
        work(hash, observer);
    if (const position p = locate(key, hash); p.at != nullptr) {
        p.at->at(p.index).value = std::move(value);
        return false;
    }
    insert_new(key, std::move(value), hash, observer);
    return true;
}

template <class K, class V, class Hash, class Equal, class Allocator>
template <class F, class Observer>
bool go_table<K, V, Hash, Equal, Allocator>::upsert(const K& key, V&& value, F& f, std::uint64_t hash,
                                                    Observer&& observer) {
    if (oldest_ != current_) [[unlikely]]
        work(hash, observer);
    if (const position p = locate(key, hash); p.at != nullptr) {
        changed_by(f, p.at->at(p.index).value);
        return false;
    }
    if (!changed_by(f, value)) return false;
    insert_new(key, std::move(value), hash, observer);
    return true;
}

template <class K, class V, class Hash, class Equal, class Allocator>
template <class Q, class F, class Observer>
[[gnu::always_inline]] inline bool go_table<K, V, Hash, Equal, Allocator>::erase_if(const Q& key, F& f,
                                                                                    std::uint64_t hash,
                                                                                    Observer&& observer) {
    work_if_possible(hash, observer);
    const position p = locate(key, hash);
    if (p.at == nullptr || !std::invoke(f, std::as_const(p.at->at(p.index).value))) return false;
    release(chain_of(hash), p);
    return true;
}

template <class K, class V, class Hash, class Equal, class Allocator>
template <class Q, class F, class Observer>
bool go_table<K, V, Hash, Equal, Allocator>::update(const Q& key, F& f, std::uint64_t hash, Observer&& observer) {
    work_if_possible(hash, observer);
    const position p = locate(key, hash);
    if (p.at == nullptr) return false;
    changed_by(f, p.at->at(p.index).value);
    return true;
}

// Into the first empty slot of the chain. Key and value first, the tophash byte that makes them visible last.
template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::insert(bucket* head, const K& key, V&& value, std::uint8_t top) {
    bucket* at = head;
    for (;;) {
        if (const auto free = tops_reader::empty(at->tops)) {
            ::new (at->where(free.first())) slot{key, std::move(value)};
            at->tops[free.first()] = top;
            break;
        }
        if (at->overflow == nullptr) {
            bucket* fresh = current_->next_overflow();
            ::new (fresh->where(0)) slot{key, std::move(value)};
            fresh->tops[0] = top;
            current_->keep_overflow();
            at->overflow = fresh;
            ++counters_.overflow;
            break;
        }
        at = at->overflow;
    }
    ++counters_.size;
}

// Empties a slot; a run of empty slots at the chain's end becomes empty_rest, so that searches stop early.
template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::release(bucket* head, position where) noexcept {
    bucket* at = where.at;
    unsigned index = where.index;
    at->at(index).~slot();
    at->tops[index] = empty_one;
    --counters_.size;
    const bool last = index + 1 < slots_per_bucket ? at->tops[index + 1] == empty_rest
                                                   : at->overflow == nullptr || at->overflow->tops[0] == empty_rest;
    if (!last) return;
    for (;;) {
        at->tops[index] = empty_rest;
        if (index > 0) {
            --index;
        } else {
            if (at == head) return;
            bucket* before = head;
            while (before->overflow != at) before = before->overflow;
            at = before;
            index = slots_per_bucket - 1;
        }
        if (at->tops[index] != empty_one) return;
    }
}

template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::clear() noexcept {
    empty_all_chains();
    old_ = nullptr;
    old_buckets_ = nullptr;
    counters_.size = 0;
    counters_.overflow = 0;
    // A cursor may stand in an overflow bucket, which must not come back in another chain while it does.
    if (cursors_.load(std::memory_order_relaxed) == 0) {
        if (current_ != nullptr) current_->drop_overflow();
        drop_retired();
    }
}

template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::empty_chain(bucket* head) noexcept {
    for (bucket* at = head; at != nullptr; at = std::exchange(at->overflow, nullptr)) {
        if constexpr (!std::is_trivially_destructible_v<slot>)
            for (unsigned i = 0; i < slots_per_bucket; ++i)
                if (at->tops[i] >= min_tophash) at->at(i).~slot();
        std::memset(at->tops, empty_rest, sizeof at->tops);
    }
}

// Evacuated chains keep their marks: cursors follow them.
template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::empty_all_chains() noexcept {
    if (old_ != nullptr)
        for (std::uint64_t i = 0; i <= old_mask_; ++i)
            if (!old_buckets_[i].evacuated()) empty_chain(old_buckets_ + i);
    if (current_ != nullptr)
        for (std::uint64_t i = 0; i <= mask_; ++i) empty_chain(buckets_ + i);
}

}  // namespace mapaudit::detail

#include <mapaudit/detail/go_growth.hpp>

#endif
