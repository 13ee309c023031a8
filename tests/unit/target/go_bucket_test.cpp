// SPDX-License-Identifier: Apache-2.0
#include <mapaudit/detail/go_bucket.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace {

using namespace mapaudit::detail;

template <class Set>
std::vector<unsigned> members(Set set) {
    std::vector<unsigned> slots;
    for (; set; set.drop_first()) slots.push_back(set.first());
    return slots;
}

template <class Reader>
void expect_same_as_scalar(const std::uint8_t* tops, std::uint8_t value) {
    EXPECT_EQ(members(Reader::matching(tops, value)), members(scalar_tops::matching(tops, value)));
    EXPECT_EQ(members(Reader::empty(tops)), members(scalar_tops::empty(tops)));
}

// Bytes near each other and near the markers, where a carry between bytes would show.
TEST(GoBucket, EveryWayOfReadingTophashesSaysTheSame) {
    std::mt19937_64 random(7);
    constexpr std::array<std::uint8_t, 12> likely{0, 1, 2, 3, 4, 5, 6, 0x7F, 0x80, 0x81, 0xFE, 0xFF};
    for (int round = 0; round < 200'000; ++round) {
        std::uint8_t tops[slots_per_bucket];
        for (auto& top : tops)
            top = random() % 4 == 0 ? static_cast<std::uint8_t>(random()) : likely[random() % likely.size()];
        const std::uint8_t value = std::max<std::uint8_t>(min_tophash, tops[random() % slots_per_bucket]);
        expect_same_as_scalar<word_tops>(tops, value);
        expect_same_as_scalar<tops_reader>(tops, value);
        if (HasFailure()) return;
    }
}

TEST(GoBucket, TophashNeverLooksLikeAMarker) {
    std::array<unsigned, 256> seen{};
    std::mt19937_64 random(1);
    for (int i = 0; i < 256'000; ++i) ++seen[tophash(random())];
    for (unsigned marker = 0; marker < min_tophash; ++marker) EXPECT_EQ(seen[marker], 0u);
    for (unsigned top = min_tophash; top < 256; ++top) EXPECT_GT(seen[top], 500u) << top;
}

// Keys as programs have them: counting up, in steps, aligned addresses, in the high half only.
TEST(GoBucket, MixingSpreadsPlainIntegersToBothEnds) {
    constexpr std::size_t buckets = 1024, keys = buckets * 64;
    struct pattern {
        std::uint64_t start, step;
    };
    for (const auto [start, step] : {pattern{0, 1},
                                     {0, 8},
                                     {0x7F0000000000, 64},
                                     {0, 4096},
                                     {0, std::uint64_t{1} << 32},
                                     {0, std::uint64_t{1} << 40},
                                     {0, 1'000'003}}) {
        std::vector<double> low(buckets), high(256), shard(32);
        for (std::size_t i = 0; i < keys; ++i) {
            const std::uint64_t hash = mix(start + i * step);
            ++low[hash % buckets];
            ++high[hash >> 56];
            ++shard[(hash >> 51) % 32];
        }
        for (const auto& counts : {low, high, shard}) {
            const double mean = static_cast<double>(keys) / static_cast<double>(counts.size());
            // Random placement stays within about five standard deviations; more even than that is welcome.
            EXPECT_LT(*std::max_element(counts.begin(), counts.end()), mean + 6 * std::sqrt(mean)) << step;
        }
    }
}

TEST(GoBucket, NewArrayIsEmptyAndOverflowBucketsAreNotReused) {
    using bucket = go_bucket<std::uint64_t, std::uint64_t>;
    bucket_array<bucket> array(5);
    for (std::uint64_t i = 0; i < array.size(); ++i)
        EXPECT_EQ(members(tops_reader::empty(array.buckets()[i].tops)).size(), slots_per_bucket);
    std::vector<bucket*> taken;
    for (int i = 0; i < 100; ++i) {
        bucket* fresh = array.next_overflow();
        EXPECT_EQ(fresh, array.next_overflow()) << "not kept, so offered again";
        array.keep_overflow();
        taken.push_back(fresh);
    }
    std::sort(taken.begin(), taken.end());
    EXPECT_EQ(std::adjacent_find(taken.begin(), taken.end()), taken.end());
}

struct alignas(64) wide {
    std::uint64_t value;
};

TEST(GoBucket, OverAlignedElementsAreAligned) {
    using bucket = go_bucket<std::uint64_t, wide>;
    bucket_array<bucket> array(2);
    for (std::uint64_t i = 0; i < array.size(); ++i)
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.buckets()[i].where(1)) % 64, 0u);
}

}  // namespace
