// SPDX-License-Identifier: Apache-2.0
#include "distributions.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace mapaudit::workload {
namespace {

TEST(Random, SameSeedSameSequence) {
    Random a(7, 3), b(7, 3);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(a.next(), b.next());
}

TEST(Random, StreamsAndSeedsDiffer) {
    Random a(7, 0), other_stream(7, 1), other_seed(8, 0);
    const auto first = a.next();
    EXPECT_NE(first, other_stream.next());
    EXPECT_NE(first, other_seed.next());
}

TEST(Random, BelowIsUniform) {
    Random random(1, 0);
    constexpr int bins = 97, draws = 970'000;
    std::vector<int> hits(bins);
    for (int i = 0; i < draws; ++i) {
        const auto value = random.below(bins);
        ASSERT_LT(value, static_cast<std::uint64_t>(bins));
        ++hits[value];
    }
    double chi_squared = 0;
    for (const int n : hits) chi_squared += (n - 10'000.0) * (n - 10'000.0) / 10'000.0;
    EXPECT_LT(chi_squared, 147.0);  // 96 degrees of freedom, p = 0.0006; the seed is fixed, so this is no gamble
    EXPECT_GT(chi_squared, 55.0);   // and suspiciously even is wrong as well
}

TEST(Random, UnitStaysBelowOne) {
    Random random(5, 0);
    double sum = 0;
    for (int i = 0; i < 100'000; ++i) {
        const double u = random.unit();
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
        sum += u;
    }
    EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
}

// Expected shares come from the definition, 1 / rank^theta / zeta, and not from the generator's own constants.
TEST(Zipf, SharesFollowTheLaw) {
    constexpr std::uint64_t keys = 1000;
    constexpr int draws = 2'000'000;
    double zeta = 0;
    for (std::uint64_t i = 1; i <= keys; ++i) zeta += std::pow(static_cast<double>(i), -0.99);

    const Zipf zipf(keys);
    Random random(11, 0);
    std::vector<int> hits(keys);
    for (int i = 0; i < draws; ++i) {
        const auto key = zipf(random);
        ASSERT_LT(key, keys);
        ++hits[key];
    }
    // The method is exact for the first two ranks and an approximation after them.
    EXPECT_NEAR(hits[0] / (draws / zeta), 1.0, 0.02);
    EXPECT_NEAR(hits[1] / (draws / zeta * std::pow(2.0, -0.99)), 1.0, 0.02);
    const auto share_of_first = [&](std::uint64_t n) {
        double expected = 0, seen = 0;
        for (std::uint64_t i = 0; i < n; ++i) {
            expected += std::pow(static_cast<double>(i + 1), -0.99) / zeta;
            seen += hits[i];
        }
        return seen / draws / expected;
    };
    EXPECT_NEAR(share_of_first(10), 1.0, 0.05);
    EXPECT_NEAR(share_of_first(100), 1.0, 0.05);
    EXPECT_GT(hits[0], hits[10]);
    EXPECT_GT(hits[10], hits[500]);
}

TEST(Zipf, SmallRangesStayInRange) {
    for (std::uint64_t keys = 1; keys <= 5; ++keys) {
        const Zipf zipf(keys);
        Random random(keys, 0);
        std::vector<int> hits(keys);
        for (int i = 0; i < 10'000; ++i) {
            const auto key = zipf(random);
            ASSERT_LT(key, keys);
            ++hits[key];
        }
        for (const int n : hits) EXPECT_GT(n, 0) << keys << " keys";
    }
}

}  // namespace
}  // namespace mapaudit::workload
