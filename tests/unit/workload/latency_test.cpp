// SPDX-License-Identifier: Apache-2.0
#include "latency.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mapaudit::workload {
namespace {

TEST(LatencyHistogram, PercentilesAreWithinABucketOfTheExactOnes) {
    std::mt19937_64 random(3);
    std::lognormal_distribution<double> durations(6.0, 1.5);
    LatencyHistogram histogram;
    std::vector<std::uint64_t> exact;
    for (int i = 0; i < 100'000; ++i) {
        exact.push_back(static_cast<std::uint64_t>(durations(random)));
        histogram.add(exact.back());
    }
    std::ranges::sort(exact);
    for (const double share : {0.5, 0.9, 0.99, 0.999}) {
        const auto rank = static_cast<std::size_t>(std::ceil(share * 100'000));
        const auto value = static_cast<double>(exact[rank - 1]);
        EXPECT_NEAR(histogram.percentile(share), value, value / 64 + 1) << share;
    }
    EXPECT_EQ(histogram.max(), exact.back());
    EXPECT_EQ(histogram.count(), 100'000u);
}

TEST(LatencyHistogram, MergeIsTheSameAsAddingAll) {
    LatencyHistogram a, b, all;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        (i % 3 == 0 ? a : b).add(i * i);
        all.add(i * i);
    }
    a.merge(b);
    EXPECT_EQ(a.count(), all.count());
    EXPECT_EQ(a.max(), all.max());
    for (const double share : {0.01, 0.5, 0.99, 1.0}) EXPECT_EQ(a.percentile(share), all.percentile(share));
}

TEST(LatencyHistogram, NeverAboveTheMaximum) {
    LatencyHistogram histogram;
    histogram.add(1'000'000);
    EXPECT_LE(histogram.percentile(1.0), 1'000'000.0);
    EXPECT_EQ(LatencyHistogram{}.percentile(0.5), 0.0);
}

TEST(Clock, RateAgreesWithTheKernels) {
    const Moment from = Moment::now();
    while (detail::monotonic_ns() - from.at_ns < 20'000'000) {
    }
    const Moment to = Moment::now();
    const double elapsed = ns_per_tick(from, to) * static_cast<double>(to.at_ticks - from.at_ticks);
    EXPECT_NEAR(elapsed, static_cast<double>(to.at_ns - from.at_ns), 1.0);
}

}  // namespace
}  // namespace mapaudit::workload
