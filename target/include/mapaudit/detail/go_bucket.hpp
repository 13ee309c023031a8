// SPDX-License-Identifier: Apache-2.0
//
// What go_table is built of: hash mixing, tophash bytes, the bucket, and an array of buckets with its overflow buckets.
//
//   bucket    ┌──────────────────────┬───────────────┬─────┬─────┬─────┬─    ─┬─────┐
//             │ tophash[8], one byte │ overflow ─────┼──►  │ k,v │ k,v │ ...  │ k,v │
//             │ a slot               │ next bucket   │ 0   │ 1   │ 2   │      │ 7   │
//             └──────────────────────┴───────────────┴─────┴─────┴─────┴─    ─┴─────┘
//               0                  7   8          15   16 …
//
// Go keeps keys[8] before values[8] and the overflow pointer last. Here a key lies beside its value and the pointer
// beside the tophash bytes: a miss touches one cache line, a hit two.
#ifndef MAPAUDIT_DETAIL_GO_BUCKET_HPP
#define MAPAUDIT_DETAIL_GO_BUCKET_HPP

#include <sys/mman.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <vector>

#include <mapaudit/detail/allocation.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mapaudit::detail {

inline constexpr unsigned slots_per_bucket = 8;

// Values of a tophash byte, Go's own. What is below min_tophash is a state, not a hash.
inline constexpr std::uint8_t empty_rest = 0;       // empty, and so is every later slot of the chain
inline constexpr std::uint8_t empty_one = 1;        // empty
inline constexpr std::uint8_t evacuated_low = 2;    // moved to the bucket of the same index (Go's evacuatedX)
inline constexpr std::uint8_t evacuated_high = 3;   // moved to that index plus the old bucket count (evacuatedY)
inline constexpr std::uint8_t evacuated_empty = 4;  // was empty when its bucket was evacuated
inline constexpr std::uint8_t min_tophash = 5;

// std::hash of an integer is the integer: its low bits would choose the bucket and its zero high bits the tophash.
// The multiply-and-fold of wyhash (Wang Yi, github.com/wangyi-fudan/wyhash, public domain) by the golden ratio spreads
// every bit to both ends in one multiplication.
[[gnu::always_inline]] inline std::uint64_t mix(std::uint64_t hash) noexcept {
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(hash) * 0x9E3779B97F4A7C15u;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Bits 56 to 63 of the mixed hash; the table's bucket index comes from the low end.
[[gnu::always_inline]] inline std::uint8_t tophash(std::uint64_t hash) noexcept {
    return static_cast<std::uint8_t>(((hash >> 56) * (256 - min_tophash) >> 8) + min_tophash);
}

// A set of slots of one bucket, one bit every 2^Shift.
template <unsigned Shift>
struct slot_set {
    std::uint64_t bits;

    explicit operator bool() const noexcept { return bits != 0; }
    unsigned first() const noexcept { return static_cast<unsigned>(std::countr_zero(bits)) >> Shift; }
    void drop_first() noexcept { bits &= bits - 1; }
};

// Three ways to look at eight tophash bytes at once, the same in what they say. `matching` wants a value of at least
// min_tophash. None has false positives: a slot that is named is occupied, and may be compared.
struct scalar_tops {
    using set = slot_set<0>;
    static set matching(const std::uint8_t* tops, std::uint8_t value) noexcept {
        set found{0};
        for (unsigned i = 0; i < slots_per_bucket; ++i) found.bits |= std::uint64_t{tops[i] == value} << i;
        return found;
    }
    static set empty(const std::uint8_t* tops) noexcept {
        set found{0};
        for (unsigned i = 0; i < slots_per_bucket; ++i) found.bits |= std::uint64_t{tops[i] <= empty_one} << i;
        return found;
    }
};

// Eight bytes in a register, little endian. The zero-byte test is the exact one of "Hacker's Delight" 6-1: the shorter
// (x - 1) & ~x & 0x80 also marks a 1 above a 0.
struct word_tops {
    using set = slot_set<3>;
    static constexpr std::uint64_t ones = 0x0101010101010101u;
    static constexpr std::uint64_t low7 = 0x7F7F7F7F7F7F7F7Fu;

    static std::uint64_t load(const std::uint8_t* tops) noexcept {
        std::uint64_t word;
        std::memcpy(&word, tops, sizeof word);
        return word;
    }
    static set zero_bytes(std::uint64_t word) noexcept { return {~(((word & low7) + low7) | word | low7)}; }
    static set matching(const std::uint8_t* tops, std::uint8_t value) noexcept {
        return zero_bytes(load(tops) ^ (ones * value));
    }
    static set empty(const std::uint8_t* tops) noexcept { return zero_bytes(load(tops) & ~ones); }
};

#if defined(__SSE2__)
struct sse2_tops {
    using set = slot_set<0>;
    static __m128i load(const std::uint8_t* tops) noexcept {
        return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(tops));
    }
    // The upper half of the register is zero, which no tophash is: nothing to mask off.
    static set matching(const std::uint8_t* tops, std::uint8_t value) noexcept {
        const __m128i equal = _mm_cmpeq_epi8(load(tops), _mm_set1_epi8(static_cast<char>(value)));
        return {static_cast<std::uint32_t>(_mm_movemask_epi8(equal))};
    }
    static set empty(const std::uint8_t* tops) noexcept {
        const __m128i state = _mm_and_si128(load(tops), _mm_set1_epi8(static_cast<char>(0xFE)));
        return {static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(state, _mm_setzero_si128()))) & 0xFFu};
    }
};
using tops_reader = sse2_tops;
#else
using tops_reader = std::conditional_t<std::endian::native == std::endian::little, word_tops, scalar_tops>;
#endif

template <class K, class V>
struct go_slot {
    K key;
    V value;
};

// Trivial, and all zeros is an empty bucket: arrays of them come from calloc. Slots are made and destroyed by hand.
template <class K, class V>
struct go_bucket {
    using slot = go_slot<K, V>;

    std::uint8_t tops[slots_per_bucket];
    go_bucket* overflow;
    alignas(slot) std::byte storage[slots_per_bucket * sizeof(slot)];

    void* where(unsigned index) noexcept { return storage + index * sizeof(slot); }
    slot& at(unsigned index) noexcept { return *std::launder(reinterpret_cast<slot*>(where(index))); }

    // Asks for the cache lines of the slots while the tophash bytes are still on their way: which one it will be is
    // known only then. In a bucket of more than three lines, most would be fetched for nothing.
    [[gnu::always_inline]] void fetch_slots() const noexcept {
        constexpr std::size_t line = 64;
        if constexpr (sizeof(go_bucket) <= 3 * line)
            for (std::size_t at = line; at < sizeof(go_bucket); at += line)
                __builtin_prefetch(reinterpret_cast<const std::byte*>(this) + at);
    }

    // Has the chain that begins with this bucket moved to the newer array? All its slots are marked at once.
    bool evacuated() const noexcept { return tops[0] > empty_one && tops[0] < min_tophash; }
    // Is there nothing behind this bucket that could be visited? Any bucket of a chain may be asked.
    bool ends_chain() const noexcept { return overflow == nullptr || tops[slots_per_bucket - 1] == empty_rest; }
};

// Large arrays want huge pages: a look-up goes to a random place, and with small pages each would first wait for the
// page table's own cache misses. The kernel then clears two megabytes where the first element arrives instead of four
// kilobytes: less in all, and a write that waits for it waits a tenth of a millisecond. Where it has none, nothing
// happens.
inline void want_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef MADV_HUGEPAGE
    constexpr std::size_t large = std::size_t{4} << 20, page = 4096;
    if (bytes < large) return;
    const auto from = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) / page * page;
    const auto to = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / page * page;
    ::madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
#endif
}

// With std::allocator, calloc and not new: the zeros of a large array come from the kernel piece by piece as evacuation
// reaches them, so that starting a growth does not stop for the whole of it. Other allocators' memory is cleared.
template <class Bucket, class Allocator>
Bucket* allocate_buckets(const Allocator& allocator, std::size_t count) {
    static_assert(std::is_trivial_v<Bucket>);
    if (count > std::numeric_limits<std::size_t>::max() / 2 / sizeof(Bucket)) throw std::bad_alloc();
    void* memory = nullptr;
    if constexpr (is_standard<Allocator> && alignof(Bucket) <= alignof(std::max_align_t)) {
        memory = std::calloc(count, sizeof(Bucket));
        if (memory == nullptr) throw std::bad_alloc();
        want_huge_pages(memory, count * sizeof(Bucket));
    } else {
        rebound<Allocator, Bucket> mine(allocator);
        memory = std::allocator_traits<decltype(mine)>::allocate(mine, count);
        std::memset(memory, 0, count * sizeof(Bucket));
    }
    return static_cast<Bucket*>(memory);
}
template <class Bucket, class Allocator>
void free_buckets(const Allocator& allocator, Bucket* buckets, std::size_t count) noexcept {
    if constexpr (is_standard<Allocator> && alignof(Bucket) <= alignof(std::max_align_t)) {
        std::free(buckets);
    } else {
        rebound<Allocator, Bucket> mine(allocator);
        std::allocator_traits<decltype(mine)>::deallocate(mine, buckets, count);
    }
}

// One array of 2^log2 buckets and the overflow buckets hung on them, which live as long as the array: a cursor that
// stands in one never loses it. Does not own the elements.
template <class Bucket, class Allocator = std::allocator<Bucket>>
class bucket_array {
public:
    explicit bucket_array(unsigned log2, const Allocator& allocator = Allocator())
        : buckets_(allocate_buckets<Bucket>(allocator, std::size_t{1} << log2)),
          chunks_(allocator),
          log2_(static_cast<std::uint8_t>(log2)) {}
    bucket_array(const bucket_array&) = delete;
    bucket_array& operator=(const bucket_array&) = delete;
    ~bucket_array() {
        drop_overflow();
        free_buckets(chunks_.get_allocator(), buckets_, size());
    }

    Bucket* buckets() const noexcept { return buckets_; }
    unsigned log2() const noexcept { return log2_; }
    std::uint64_t size() const noexcept { return std::uint64_t{1} << log2_; }
    std::uint64_t mask() const noexcept { return size() - 1; }

    // An unused overflow bucket. Not taken for good until keep_overflow().
    Bucket* next_overflow() {
        if (free_in_chunk_ == 0) {
            const std::size_t count = chunk_size();
            chunks_.reserve(chunks_.size() + 1);
            chunks_.push_back(allocate_buckets<Bucket>(chunks_.get_allocator(), count));
            free_in_chunk_ = count;
        }
        return chunks_.back() + (chunk_size() - free_in_chunk_);
    }
    void keep_overflow() noexcept { --free_in_chunk_; }

    // Only when nothing points at an overflow bucket any more.
    void drop_overflow() noexcept {
        for (Bucket* chunk : chunks_) free_buckets(chunks_.get_allocator(), chunk, chunk_size());
        chunks_.clear();
        free_in_chunk_ = 0;
    }

    bucket_array* newer = nullptr;  // what this array's elements were or are being evacuated to

private:
    // A sixteenth of the array, as Go preallocates: at the load limit about a fifth of the buckets overflow.
    std::size_t chunk_size() const noexcept { return log2_ < 4 ? 1 : std::size_t{1} << (log2_ - 4); }

    Bucket* buckets_;
    std::vector<Bucket*, rebound<Allocator, Bucket*>> chunks_;
    std::size_t free_in_chunk_ = 0;
    std::uint8_t log2_;
};

}  // namespace mapaudit::detail

#endif
