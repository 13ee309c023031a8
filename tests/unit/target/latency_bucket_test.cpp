// SPDX-License-Identifier: Apache-2.0
//
// The log-linear buckets of probe_abi.h.
#include <mapaudit/probe_abi.h>

#include <gtest/gtest.h>

#include <cstdint>

TEST(Bucket, FloorIsWhereABucketBegins) {
    for (std::uint32_t b = 0; b < MAPAUDIT_BUCKETS; ++b) {
        const std::uint64_t floor = mapaudit_bucket_floor(b), next = mapaudit_bucket_floor(b + 1);
        ASSERT_LT(floor, next);
        ASSERT_EQ(mapaudit_bucket(floor), b);
        ASSERT_EQ(mapaudit_bucket(next - 1), b);
        if (b >= MAPAUDIT_SUB_BUCKETS) {
            ASSERT_LE((next - floor) * 32, floor) << "wider than 1/32 of its lower edge";
        }
        if (b < MAPAUDIT_SUB_BUCKETS) {
            ASSERT_EQ(next - floor, 1u);
        }
    }
    EXPECT_EQ(mapaudit_bucket_floor(MAPAUDIT_BUCKETS), std::uint64_t{1} << 41);
}
TEST(Bucket, RisesWithTheValueAndEndsAtTheLast) {
    std::uint32_t last = 0;
    for (std::uint64_t value = 0; value < std::uint64_t{1} << 42; value += 1 + value / 97) {
        const std::uint32_t b = mapaudit_bucket(value);
        ASSERT_GE(b, last);
        ASSERT_LT(b, MAPAUDIT_BUCKETS);
        ASSERT_LE(mapaudit_bucket_floor(b), value);
        if (b + 1 < MAPAUDIT_BUCKETS) {
            ASSERT_LT(value, mapaudit_bucket_floor(b + 1));
        }
        last = b;
    }
    EXPECT_EQ(mapaudit_bucket(std::uint64_t{1} << 41), MAPAUDIT_BUCKETS - 1);
    EXPECT_EQ(mapaudit_bucket(~std::uint64_t{0}), MAPAUDIT_BUCKETS - 1);
}
