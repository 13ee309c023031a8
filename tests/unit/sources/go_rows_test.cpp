// SPDX-License-Identifier: Apache-2.0
//
// What the kernel's tables say of one map becomes one observation, whoever grew it and used it, and in whatever order
// the rows come.
#include "sources/go/go_rows.hpp"

#include <gtest/gtest.h>

namespace mapaudit::sources {
namespace {

constexpr std::uint64_t address = 0xc000010000, type = 0x4a0000;

GoGrowth growth(std::uint64_t caller, std::uint8_t from, std::uint8_t to, std::uint64_t first_ns) {
    GoGrowth row{};
    row.key = {address, caller, 7, 0};
    row.value.type = type;
    row.value.doublings = static_cast<std::uint64_t>(to - from);
    row.value.buckets_added = (1u << to) - (1u << from);
    row.value.size = 100;
    row.value.first_ns = first_ns;
    row.value.last_ns = first_ns + 50;
    row.value.first_log2 = from;
    row.value.last_log2 = to;
    return row;
}

GoCalls calls(std::uint64_t caller, std::uint16_t op, std::uint8_t log2, std::uint64_t first_ns,
              std::uint64_t map = address, std::uint32_t seed = 7) {
    GoCalls row{};
    row.key = {map, caller, seed, 0, op};
    row.value.type = type;
    row.value.calls = 3;
    row.value.size = 200;
    row.value.first_ns = first_ns;
    row.value.log2 = log2;
    return row;
}

TEST(GoRows, of_one_map_are_one_observation) {
    const std::vector<GoGrowth> growths{growth(0x10, 2, 3, 500), growth(0x20, 3, 5, 600)};
    const std::vector<GoCalls> used{calls(0x30, MAPAUDIT_OP_ASSIGN, 2, 400), calls(0x40, MAPAUDIT_OP_LOOKUP, 5, 900)};
    const auto maps = by_map(growths, used);
    ASSERT_EQ(maps.size(), 1u);
    EXPECT_EQ(maps[0].growths.size(), 2u);
    EXPECT_EQ(maps[0].calls.size(), 2u);
    const GoObservation& observation = maps[0].observation;
    EXPECT_EQ(observation.map, address);
    EXPECT_EQ(observation.type, type);
    EXPECT_EQ(observation.caller, 0x30u) << "the first to come";
    EXPECT_EQ(observation.log2_before, 2);
    EXPECT_EQ(observation.log2_after, 5);
    EXPECT_EQ(observation.added, 28u);
    EXPECT_EQ(observation.size, 200u) << "the latest word";
}

TEST(GoRows, of_latencies_have_a_bucket_and_no_caller) {
    const std::vector<GoCalls> used{calls(77, MAPAUDIT_OP_ASSIGN | WIRE_GO_TIMES, 4, 100),
                                    calls(0x30, MAPAUDIT_OP_ASSIGN, 4, 300)};
    const auto maps = by_map({}, used);
    ASSERT_EQ(maps.size(), 1u);
    EXPECT_EQ(maps[0].observation.caller, 0x30u);
    EXPECT_EQ(maps[0].calls.size(), 2u);
}

TEST(GoRows, are_told_apart_by_seed_and_in_the_order_of_time) {
    const std::vector<GoCalls> used{calls(0x30, MAPAUDIT_OP_ASSIGN, 1, 900, address, 8),
                                    calls(0x30, MAPAUDIT_OP_ASSIGN, 1, 100, address, 7),
                                    calls(0x30, MAPAUDIT_OP_LOOKUP, 1, 50, 0, 0)};
    const auto maps = by_map({}, used);
    ASSERT_EQ(maps.size(), 2u) << "those without an address are not among them";
    EXPECT_EQ(maps[0].observation.seed, 7u);
    EXPECT_EQ(maps[1].observation.seed, 8u);
}

// Generic code does not know its maps' types as others do.
TEST(GoRows, a_type_is_taken_from_whoever_knows_it) {
    std::vector<GoCalls> used{calls(0x30, MAPAUDIT_OP_ERASE, 1, 100), calls(0x40, MAPAUDIT_OP_ASSIGN, 1, 200)};
    used[0].value.type = 0;
    EXPECT_EQ(by_map({}, used).at(0).observation.type, type);
}

}  // namespace
}  // namespace mapaudit::sources
