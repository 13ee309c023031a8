// SPDX-License-Identifier: Apache-2.0
//
// The table under tophash_map and cas_map: Go's buckets with atomic tophash bytes, read without a lock.
//
//   bucket   [ tophash × 8, one atomic word ][ element* × 8 ][ overflow ]
//
//   Rules    Readers, in a read_section, take the word, compare the elements behind the bytes that match, go on along
//            the chain. An element's address is stored before its byte (release) and its key never changes: a byte that
//            is seen leads to a whole element, to none, or to one with another key, which the comparison tells.
//            Writers of one key exclude each other; writers of different keys need not, and share buckets: a free slot
//            is claimed by compare-exchange of its byte, a chain is lengthened by compare-exchange of its end.
//            rebuilt() wants all writers excluded. It copies pointers; readers of the older array see the elements as
//            they were when it was made.
//
// Erased slots are used again, in any order: an array's overflow buckets live as long as it does.
#ifndef MAPAUDIT_DETAIL_SLOT_TABLE_HPP
#define MAPAUDIT_DETAIL_SLOT_TABLE_HPP

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

#include <mapaudit/detail/go_bucket.hpp>
#include <mapaudit/detail/reclaim.hpp>

namespace mapaudit::detail {

// States of a tophash byte that are no hash; a hash's is min_tophash at least.
inline constexpr std::uint8_t slot_empty = 0;
inline constexpr std::uint8_t slot_claimed = 1;  // a writer is at work in it

template <class Element>
struct slot_bucket {
    std::atomic<std::uint64_t> tops = 0;
    std::atomic<Element*> slots[slots_per_bucket] = {};
    std::atomic<slot_bucket*> overflow = nullptr;

    static slot_set<3> having(std::uint64_t word, std::uint8_t top) noexcept {
        return word_tops::zero_bytes(word ^ word_tops::ones * top);
    }
    static constexpr std::uint64_t byte(unsigned index, std::uint8_t value) noexcept {
        return std::uint64_t{value} << 8 * index;
    }
    // Changes the byte of a slot that the caller owns. Release: what lies behind it was written before.
    void turn(unsigned index, std::uint8_t from, std::uint8_t to) noexcept {
        tops.fetch_xor(byte(index, static_cast<std::uint8_t>(from ^ to)), std::memory_order_release);
    }
    // Claims a free slot; slots_per_bucket if there is none.
    unsigned claim() noexcept {
        std::uint64_t word = tops.load(std::memory_order_relaxed);
        for (;;) {
            const auto free = having(word, slot_empty);
            if (!free) return slots_per_bucket;
            const unsigned index = free.first();
            // Acquire: whoever freed the slot cleared its address before.
            if (tops.compare_exchange_weak(word, word | byte(index, slot_claimed), std::memory_order_acquire,
                                           std::memory_order_relaxed))
                return index;
        }
    }
};

// `Element` is retirable and has `key` and `hash` (mixed). The table does not own its elements.
template <class Element, class Allocator>
class slot_table : public retirable_of<slot_table<Element, Allocator>, Allocator> {
public:
    using bucket = slot_bucket<Element>;
    struct position {
        bucket* at = nullptr;
        unsigned index = 0;
        Element* element = nullptr;
    };

    slot_table(unsigned log2, const Allocator& allocator)
        : allocator_(allocator), buckets_(allocator, std::size_t{1} << log2), log2_(log2) {}
    ~slot_table() {
        for (std::uint64_t i = 0; i <= mask(); ++i)
            for (bucket* b = buckets_[i].overflow.load(std::memory_order_relaxed); b != nullptr;)
                destroy_with(allocator_, std::exchange(b, b->overflow.load(std::memory_order_relaxed)));
    }

    static unsigned log2_for(std::size_t elements) noexcept {
        unsigned log2 = 0;
        while (elements > limit(log2)) ++log2;
        return log2;
    }
    // Elements that an array takes before it doubles: 6.5 a bucket, but a lone bucket is filled.
    static constexpr std::uint64_t limit(unsigned log2) noexcept {
        return log2 == 0 ? slots_per_bucket : std::uint64_t{13} << (log2 - 1);
    }
    unsigned log2() const noexcept { return log2_; }
    std::uint64_t bucket_count() const noexcept { return std::uint64_t{1} << log2_; }

    template <class K, class Equal>
    [[gnu::always_inline]] position locate(const K& key, std::uint64_t hash, const Equal& equal) const {
        const std::uint8_t top = tophash(hash);
        bucket* at = &buckets_[hash & mask()];
        do {
            // Acquire pairs with turn(): behind a byte that is seen, the element's address.
            for (auto found = bucket::having(at->tops.load(std::memory_order_acquire), top); found;
                 found.drop_first()) {
                const unsigned index = found.first();
                Element* element = at->slots[index].load(std::memory_order_acquire);
                if (element != nullptr && equal(element->key, key)) [[likely]]
                    return {at, index, element};
            }
            at = at->overflow.load(std::memory_order_acquire);
        } while (at != nullptr);
        return {};
    }

    // A slot for an element of this hash, claimed: to be filled or abandoned. True in `longer` when the chain grew.
    position claim(std::uint64_t hash, bool& longer) {
        longer = false;
        bucket* at = &buckets_[hash & mask()];
        for (;;) {
            if (const unsigned index = at->claim(); index != slots_per_bucket) return {at, index, nullptr};
            bucket* next = at->overflow.load(std::memory_order_acquire);
            if (next == nullptr) {
                auto fresh = own_with<bucket>(allocator_);
                if (at->overflow.compare_exchange_strong(next, fresh.get(), std::memory_order_acq_rel,
                                                         std::memory_order_acquire)) {
                    next = fresh.release();
                    longer = true;
                }
            }
            at = next;
        }
    }
    static void fill(const position& claimed, Element* element) noexcept {
        claimed.at->slots[claimed.index].store(element, std::memory_order_release);
        claimed.at->turn(claimed.index, slot_claimed, tophash(element->hash));
    }
    static void replace(const position& p, Element* fresh) noexcept {
        p.at->slots[p.index].store(fresh, std::memory_order_release);
    }
    // First unseen, then emptied, then free for others: a claimer never has its address cleared by us.
    static void empty(const position& p) noexcept {
        p.at->turn(p.index, tophash(p.element->hash), slot_claimed);
        p.at->slots[p.index].store(nullptr, std::memory_order_relaxed);
        p.at->turn(p.index, slot_claimed, slot_empty);
    }

    // The same elements in an array of another size; `overflow` counts its overflow buckets.
    owned<slot_table, Allocator> rebuilt(unsigned log2, std::uint64_t& overflow) const {
        auto fresh = own_with<slot_table>(allocator_, log2, allocator_);
        overflow = 0;
        each([&](Element& element) {
            bool longer = false;
            fill(fresh->claim(element.hash, longer), &element);
            overflow += longer ? 1 : 0;
        });
        return fresh;
    }

    template <class F>
    void each(F&& f) const {
        for (std::uint64_t i = 0; i <= mask(); ++i)
            for (bucket* b = &buckets_[i]; b != nullptr; b = b->overflow.load(std::memory_order_acquire)) {
                const std::uint64_t word = b->tops.load(std::memory_order_acquire);
                for (unsigned s = 0; s < slots_per_bucket; ++s)
                    if ((word >> 8 * s & 0xFF) >= min_tophash)
                        if (Element* element = b->slots[s].load(std::memory_order_acquire)) f(*element);
            }
    }

private:
    std::uint64_t mask() const noexcept { return (std::uint64_t{1} << log2_) - 1; }

    [[no_unique_address]] Allocator allocator_;
    fixed_array<bucket, Allocator> buckets_;
    unsigned log2_;
};

}  // namespace mapaudit::detail

#endif
