// SPDX-License-Identifier: Apache-2.0
//
// How a go_table grows: the rest of go_table.hpp, which includes it.
#ifndef MAPAUDIT_DETAIL_GO_GROWTH_HPP
#define MAPAUDIT_DETAIL_GO_GROWTH_HPP

#include <mapaudit/detail/go_table.hpp>

namespace mapaudit::detail {

// Allocates the new array and makes the current one the old; moves nothing.
template <class K, class V, class Hash, class Equal, class Allocator>
template <class Observer>
void go_table<K, V, Hash, Equal, Allocator>::start_growth(Observer& observer) {
    observer.growing(true);
    const std::uint64_t start = observer.now();
    const mapaudit_grow_reason reason = overloaded() ? MAPAUDIT_GROW_LOAD : MAPAUDIT_GROW_OVERFLOW;
    array* fresh = new_array(current_->log2() + (reason == MAPAUDIT_GROW_LOAD ? 1u : 0u));
    old_ = current_;
    old_->newer = fresh;
    old_buckets_ = buckets_;
    old_mask_ = mask_;
    evacuated_ = 0;
    next_ = 0;
    eighths_ = 0;
    adopt(fresh);
    counters_.overflow = 0;
    ++counters_.grows;
    const std::uint64_t end = observer.now();  // 0 when the listener has gone meanwhile
    observer.grew(old_->size(), fresh->size(), start != 0 && end > start ? end - start : 0, reason);
    observer.growing(false);
}

// A write's share of a growth: the old bucket that `hash` belongs to, and one more so that the growth comes to an end.
template <class K, class V, class Hash, class Equal, class Allocator>
template <class Observer>
[[gnu::noinline]] void go_table<K, V, Hash, Equal, Allocator>::work(std::uint64_t hash, Observer& observer) {
    if (old_ != nullptr) {
        observer.growing(true);
        const std::uint64_t total = old_->size();
        evacuate(hash & old_mask_);
        // Passing over what writes have evacuated is bounded as well; Go's bound.
        for (unsigned passed = 0; next_ < total && passed < 1024 && old_buckets_[next_].evacuated(); ++passed) ++next_;
        if (next_ < total) evacuate(next_);
        if (const auto eighths = static_cast<std::uint8_t>(evacuated_ * 8 / total); eighths != eighths_) {
            eighths_ = eighths;
            observer.evacuated(evacuated_, total);
        }
        if (evacuated_ == total) {
            old_ = nullptr;
            old_buckets_ = nullptr;
        }
        observer.growing(false);
    }
    if (cursors_.load(std::memory_order_relaxed) == 0) drop_retired();
}

template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::drop_retired() noexcept {
    array* const keep = old_ != nullptr ? old_ : current_;
    while (oldest_ != keep) destroy_with(allocator_, std::exchange(oldest_, oldest_->newer));
}

template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::evacuate(std::uint64_t index) {
    bucket* const head = old_buckets_ + index;
    if (head->evacuated()) return;
    const std::uint64_t high = old_->size() & mask_;  // 0 at the same size: then there is no high bucket
    filler to[2] = {{buckets_ + index}, {buckets_ + index + high}};
    try {
        transfer(head, to);
    } catch (...) {
        filler from[2] = {{buckets_ + index}, {buckets_ + index + high}};
        take_back(head, from);
        throw;
    }
    if constexpr (!moves) {
        for (bucket* at = head; at != nullptr; at = at->overflow)
            for (unsigned i = 0; i < slots_per_bucket; ++i)
                if (at->tops[i] != evacuated_empty) at->at(i).~slot();
    }
    ++evacuated_;
}

// The slot after the last one filled; hangs on an overflow bucket where the chain ends, and keeps it when it stays
// empty.
template <class K, class V, class Hash, class Equal, class Allocator>
auto go_table<K, V, Hash, Equal, Allocator>::next_of(filler& to) -> position {
    if (to.index == slots_per_bucket) {
        if (to.at->overflow == nullptr) {
            to.at->overflow = current_->next_overflow();
            current_->keep_overflow();
            ++counters_.overflow;
        }
        to = {to.at->overflow};
    }
    return {to.at, to.index};
}

// Moves (or copies) the chain's elements, in order, and leaves in each tophash byte where the slot went.
template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::transfer(bucket* head, filler (&to)[2]) {
    const bool doubling = to[0].at != to[1].at;
    for (bucket* at = head; at != nullptr; at = at->overflow) {
        for (unsigned i = 0; i < slots_per_bucket; ++i) {
            const std::uint8_t top = at->tops[i];
            if (top <= empty_one) {
                at->tops[i] = evacuated_empty;
                continue;
            }
            slot& from = at->at(i);
            const bool high = doubling && (hash_of(from.key) & (old_mask_ + 1)) != 0;
            const position free = next_of(to[high]);
            if constexpr (moves) {
                ::new (free.at->where(free.index)) slot(std::move(from));
                from.~slot();
            } else {
                ::new (free.at->where(free.index)) slot(std::as_const(from));
            }
            free.at->tops[free.index] = top;
            ++to[high].index;
            at->tops[i] = high ? evacuated_high : evacuated_low;
        }
    }
}

// Undoes a transfer that threw: its marks say what had gone where.
template <class K, class V, class Hash, class Equal, class Allocator>
void go_table<K, V, Hash, Equal, Allocator>::take_back(bucket* head, filler (&from)[2]) noexcept {
    for (bucket* at = head; at != nullptr; at = at->overflow) {
        for (unsigned i = 0; i < slots_per_bucket; ++i) {
            const std::uint8_t mark = at->tops[i];
            if (mark < evacuated_low || mark > evacuated_empty) return;  // had not come so far
            if (mark == evacuated_empty) {
                at->tops[i] = empty_one;
                continue;
            }
            filler& source = from[mark == evacuated_high];
            if (source.index == slots_per_bucket) source = {source.at->overflow};
            slot& gone = source.at->at(source.index);
            if constexpr (moves) ::new (at->where(i)) slot(std::move(gone));
            gone.~slot();
            at->tops[i] = std::exchange(source.at->tops[source.index], empty_rest);
            ++source.index;
        }
    }
}

}  // namespace mapaudit::detail

#endif
