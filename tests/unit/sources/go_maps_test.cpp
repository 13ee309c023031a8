// SPDX-License-Identifier: Apache-2.0
//
// Which map is which, where memory is used again and seeds change under a map's feet.
#include "sources/go_maps.hpp"

#include <gtest/gtest.h>

namespace mapaudit::sources {
namespace {

constexpr std::uint64_t address = 0xc000100000, type = 0x480000, caller = 0x47f000;

GoSighting growth(std::uint32_t seed, std::uint8_t before, std::uint8_t after, std::uint64_t map = address) {
    GoSighting sighting;
    sighting.map = map;
    sighting.type = type;
    sighting.caller = caller;
    sighting.seed = seed;
    sighting.log2_before = before;
    sighting.log2_after = after;
    sighting.size = 13ull << after;
    return sighting;
}

wire_go_hmap head(std::uint32_t seed, std::uint8_t log2_buckets, std::uint64_t count) {
    return {count, 0, log2_buckets, 0, seed};
}

TEST(GoMaps, growth_by_growth_it_stays_the_same) {
    GoMaps maps(100);
    const std::uint32_t id = maps.meet(growth(7, 0, 1));
    EXPECT_EQ(maps.meet(growth(7, 1, 3)), id);
    EXPECT_EQ(maps.meet(growth(7, 3, 3)), id) << "to as many buckets";
    ASSERT_NE(maps.find(id), nullptr);
    EXPECT_EQ(maps.find(id)->log2_buckets, 3);
    EXPECT_FALSE(maps.find(id)->shared);
    EXPECT_EQ(maps.meet(growth(7, 0, 1, address + 48)), id + 1) << "another one has an id of its own";
}

TEST(GoMaps, emptied_it_has_a_new_seed_and_is_the_same) {
    GoMaps maps(100);
    const std::uint32_t id = maps.meet(growth(7, 0, 4));
    EXPECT_EQ(maps.meet(growth(8, 4, 5)), id);
}

TEST(GoMaps, a_successor_in_its_memory_is_another_one) {
    GoMaps maps(100);
    const std::uint32_t id = maps.meet(growth(7, 0, 4));
    const std::uint32_t successor = maps.meet(growth(8, 0, 1));
    EXPECT_NE(successor, id);
    EXPECT_FALSE(maps.find(id)->alive);
    EXPECT_TRUE(maps.find(successor)->alive);
    GoSighting other_type = growth(8, 1, 2);
    other_type.type = type + 64;
    EXPECT_NE(maps.meet(other_type), successor);
}

TEST(GoMaps, of_two_that_grow_it_at_once_the_later_set_out_from_as_many) {
    GoMaps maps(100);
    const std::uint32_t id = maps.meet(growth(7, 0, 1));
    EXPECT_EQ(maps.meet(growth(7, 0, 1)), id);
}

TEST(GoMaps, its_memory_tells_size_and_buckets) {
    GoMaps maps(100);
    GoMap& map = *(maps.meet(growth(7, 0, 4)), maps.living().front());
    maps.look(map, head(7, 4, 99));
    EXPECT_EQ(map.size, 99u);
    maps.look(map, head(7, 3, 60));
    EXPECT_TRUE(map.alive) << "a growth is told before it happens";
    EXPECT_EQ(map.log2_buckets, 4);
    maps.look(map, head(8, 4, 2));
    EXPECT_TRUE(map.alive) << "emptied";
    EXPECT_EQ(map.size, 2u);
    EXPECT_EQ(map.seed, 8u);
}

TEST(GoMaps, memory_that_is_no_longer_its_own_changes_no_figure) {
    GoMaps maps(100);
    GoMap& map = *(maps.meet(growth(7, 0, 4)), maps.living().front());
    maps.look(map, head(7, 4, 99));
    const wire_go_hmap others[] = {head(0, 0, 0), head(9, 4, 1u << 20), head(9, 60, 5), {5, 0xff, 4, 0, 9}};
    for (const wire_go_hmap& other : others) {
        map.suspect = false;
        maps.look(map, other);
        EXPECT_TRUE(map.suspect);
        EXPECT_EQ(map.size, 99u);
        EXPECT_EQ(map.log2_buckets, 4);
    }
    maps.look(map, others[0]);
    EXPECT_FALSE(map.alive) << "twice is enough";
    EXPECT_TRUE(maps.living().empty());
}

TEST(GoMaps, what_was_seen_a_second_time_as_itself_is_no_suspect) {
    GoMaps maps(100);
    GoMap& map = *(maps.meet(growth(7, 0, 4)), maps.living().front());
    maps.look(map, head(9, 2, 3));
    maps.look(map, head(7, 5, 150));
    maps.look(map, head(9, 2, 3));
    EXPECT_TRUE(map.alive);
    EXPECT_EQ(map.log2_buckets, 5);
}

TEST(GoMaps, one_place_gets_half_of_the_rows_and_shares_one_more) {
    GoMaps maps(10);
    for (std::uint64_t i = 0; i < 5; ++i)
        EXPECT_EQ(maps.meet(growth(7, 0, 1, address + 48 * i)), static_cast<std::uint32_t>(i + 1));
    const std::uint32_t shared = maps.meet(growth(7, 0, 1, address + 48 * 5));
    EXPECT_TRUE(maps.find(shared)->shared);
    EXPECT_EQ(maps.meet(growth(7, 0, 1, address + 48 * 6)), shared);
    EXPECT_EQ(maps.meet(growth(7, 1, 2)), 1u) << "those before keep theirs";
    GoSighting elsewhere = growth(7, 0, 1, address + 48 * 7);
    elsewhere.caller = caller + 8;
    EXPECT_FALSE(maps.find(maps.meet(elsewhere))->shared);
}

TEST(GoMaps, beyond_all_rows_is_the_row_of_all_others) {
    GoMaps maps(2);
    for (std::uint64_t i = 0; i < 4; ++i) {
        GoSighting sighting = growth(7, 0, 1, address + 48 * i);
        sighting.caller = caller + i;
        const std::uint32_t id = maps.meet(sighting);
        EXPECT_EQ(id == model::other_maps, i >= 2) << i;
    }
}

TEST(GoMaps, on_a_stack_a_map_has_no_address_to_be_told_by) {
    GoMaps maps(100);
    const std::uint32_t id = maps.meet(growth(7, 0, 1, 0));
    EXPECT_TRUE(maps.find(id)->shared);
    EXPECT_EQ(maps.meet(growth(9, 0, 1, 0)), id);
    EXPECT_TRUE(maps.living().empty());
}

TEST(GoMaps, what_changed_is_told_once) {
    GoMaps maps(100);
    maps.meet(growth(7, 0, 1));
    EXPECT_EQ(maps.changed().size(), 1u);
    EXPECT_TRUE(maps.changed().empty());
    maps.look(*maps.living().front(), head(7, 1, 9));
    EXPECT_EQ(maps.changed().size(), 1u);
}

}  // namespace
}  // namespace mapaudit::sources
