// SPDX-License-Identifier: Apache-2.0
//
// A cursor over a go_table that stays right while the table is written to between two steps: each element that is
// there all the while is visited exactly once; one that comes or goes meanwhile is visited once or not at all.
//
// It walks the buckets of the oldest array in use when it began, from a random one round. A bucket that was evacuated,
// before the cursor came to it or while it stood in it, is followed into the newer array: its marks say how many of the
// slots already visited went to the low bucket and how many to the high one, elements keep their order when they move
// and nothing else moves them, so those are the first so many slots there. The same again when that one is evacuated.
//
// The table keeps its arrays while it has cursors, which is why it counts them.
#ifndef MAPAUDIT_DETAIL_GO_CURSOR_HPP
#define MAPAUDIT_DETAIL_GO_CURSOR_HPP

#include <array>
#include <atomic>

#include <mapaudit/detail/go_table.hpp>

namespace mapaudit::detail {

// Splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014), one sequence a process,
// beginning elsewhere in each by the loader's address randomisation.
inline std::uint64_t random_start() noexcept {
    static constinit std::atomic<std::uint64_t> state = 0;
    std::uint64_t z = state.fetch_add(0x9E3779B97F4A7C15u, std::memory_order_relaxed);
    z += reinterpret_cast<std::uintptr_t>(&state);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

template <class Table>
class go_cursor {
public:
    using slot = typename Table::slot;

    explicit go_cursor(const Table& table) noexcept
        : table_(table), first_(table.old_ != nullptr ? table.old_ : table.current_), offset_(random_start()) {
        table_.cursors_.fetch_add(1, std::memory_order_relaxed);
    }
    go_cursor(const go_cursor&) = delete;
    go_cursor& operator=(const go_cursor&) = delete;
    ~go_cursor() { table_.cursors_.fetch_sub(1, std::memory_order_relaxed); }

    // Null at the end. The element lasts until the table is written to.
    slot* next() noexcept {
        for (;;) {
            if (at_ == nullptr) {
                if (!open_next()) return nullptr;
                continue;
            }
            if (head_->evacuated()) {
                follow();
                continue;
            }
            while (index_ < slots_per_bucket) {
                const unsigned index = index_++;
                if (at_->tops[index] >= min_tophash) return &at_->at(index);
            }
            at_ = at_->overflow;
            index_ = 0;
        }
    }

private:
    using bucket = typename Table::bucket;
    using array = typename Table::array;

    // A chain to visit, but for its first `skip` slots.
    struct chain {
        const array* of;
        std::uint64_t index;
        std::uint64_t skip;
    };

    bool open_next() noexcept {
        if (pending_ > 0) {
            open(pending_chains_[--pending_]);
            return true;
        }
        if (first_ == nullptr || begun_ == first_->size()) return false;
        open({first_, (offset_ + begun_++) & first_->mask(), 0});
        return true;
    }

    void open(const chain& next) noexcept {
        of_ = next.of;
        head_ = next.of->buckets() + next.index;
        at_ = head_;
        for (std::uint64_t passed = slots_per_bucket; passed <= next.skip && at_ != nullptr; passed += slots_per_bucket)
            at_ = at_->overflow;
        index_ = static_cast<unsigned>(next.skip % slots_per_bucket);
    }

    void follow() noexcept {
        std::uint64_t low = 0, high = 0;
        for (const bucket* b = head_; b != nullptr; b = b->overflow) {
            const unsigned end = b == at_ ? index_ : slots_per_bucket;
            for (unsigned i = 0; i < end; ++i) {
                low += b->tops[i] == evacuated_low;
                high += b->tops[i] == evacuated_high;
            }
            if (b == at_) break;
        }
        const auto index = static_cast<std::uint64_t>(head_ - of_->buckets());
        const array* newer = of_->newer;
        // One waits for each doubling between an array and the newest: there cannot be more than address bits.
        if (newer->log2() > of_->log2()) pending_chains_[pending_++] = {newer, index + of_->size(), high};
        open({newer, index, low});
    }

    const Table& table_;
    const array* first_;
    std::uint64_t offset_;
    std::uint64_t begun_ = 0;  // buckets of first_
    const array* of_ = nullptr;
    bucket* head_ = nullptr;
    bucket* at_ = nullptr;
    unsigned index_ = 0;  // next slot of at_
    unsigned pending_ = 0;
    std::array<chain, 64> pending_chains_;
};

}  // namespace mapaudit::detail

#endif
