// SPDX-License-Identifier: Apache-2.0
//
// Which map is which, where memory is used again and seeds change under a map's feet.
#include "sources/go/go_maps.hpp"

#include <gtest/gtest.h>

namespace mapaudit::sources {
namespace {

constexpr std::uint64_t address = 0xc000100000, type = 0x480000, caller = 0x47f000;

GoObservation growth(std::uint32_t seed, std::uint8_t before, std::uint8_t after, std::uint64_t map = address) {
    GoObservation observation;
    observation.map = map;
    observation.type = type;
    observation.caller = caller;
    observation.seed = seed;
    observation.log2_before = before;
    observation.log2_after = after;
    observation.size = 13ull << after;
    observation.added = (1ull << after) - (1ull << before);
    return observation;
}

GoMapHead head(std::uint32_t seed, std::uint8_t log2_buckets, std::uint64_t count) {
    return head_of(wire_go_hmap{count, 0, log2_buckets, 0, seed});
}

TEST(GoMaps, growth_by_growth_it_stays_the_same) {
    GoMaps maps(100);
    const std::uint32_t id = maps.meet(growth(7, 0, 1));
    EXPECT_EQ(maps.meet(growth(7, 1, 3)), id);
    EXPECT_EQ(maps.meet(growth(7, 3, 3)), id) << "to as many buckets";
    ASSERT_NE(maps.find(id), nullptr);
    EXPECT_EQ(maps.find(id)->buckets, 8u);
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
    GoObservation other_type = growth(8, 1, 2);
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
    EXPECT_EQ(map.buckets, 16u);
    maps.look(map, head(8, 4, 2));
    EXPECT_TRUE(map.alive) << "emptied";
    EXPECT_EQ(map.size, 2u);
    EXPECT_EQ(map.seed, 8u);
}

TEST(GoMaps, memory_that_is_no_longer_its_own_changes_no_figure) {
    GoMaps maps(100);
    GoMap& map = *(maps.meet(growth(7, 0, 4)), maps.living().front());
    maps.look(map, head(7, 4, 99));
    const GoMapHead others[] = {head(0, 0, 0), head(9, 4, 1u << 20), head(9, 60, 5),
                                head_of(wire_go_hmap{5, 0xff, 4, 0, 9})};
    for (const GoMapHead& other : others) {
        map.suspect = false;
        maps.look(map, other);
        EXPECT_TRUE(map.suspect);
        EXPECT_EQ(map.size, 99u);
        EXPECT_EQ(map.buckets, 16u);
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
    EXPECT_EQ(map.buckets, 32u);
}

TEST(GoMaps, one_place_gets_half_of_the_rows_and_shares_one_more) {
    GoMaps maps(10);
    for (std::uint64_t i = 0; i < 5; ++i)
        EXPECT_EQ(maps.meet(growth(7, 0, 1, address + 48 * i)), static_cast<std::uint32_t>(i + 1));
    const std::uint32_t shared = maps.meet(growth(7, 0, 1, address + 48 * 5));
    EXPECT_TRUE(maps.find(shared)->shared);
    EXPECT_EQ(maps.meet(growth(7, 0, 1, address + 48 * 6)), shared);
    EXPECT_EQ(maps.meet(growth(7, 1, 2)), 1u) << "those before keep theirs";
    GoObservation elsewhere = growth(7, 0, 1, address + 48 * 7);
    elsewhere.caller = caller + 8;
    EXPECT_FALSE(maps.find(maps.meet(elsewhere))->shared);
}

TEST(GoMaps, places_without_end_leave_rows_for_the_next) {
    GoMaps maps(1000);
    for (std::uint64_t place = 0; place < 5; ++place)
        for (std::uint64_t i = 0; i < 5000; ++i) {
            GoObservation observation = growth(7, 0, 1, address + 48 * (5000 * place + i));
            observation.caller = caller + place;
            const std::uint32_t id = maps.meet(observation);
            ASSERT_NE(id, model::other_maps);
            if (i < 8) {
                EXPECT_FALSE(maps.find(id)->shared) << place;
            }
        }
}

TEST(GoMaps, beyond_all_rows_is_the_row_of_all_others) {
    GoMaps maps(2);
    for (std::uint64_t i = 0; i < 4; ++i) {
        GoObservation observation = growth(7, 0, 1, address + 48 * i);
        observation.caller = caller + i;
        const std::uint32_t id = maps.meet(observation);
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

constexpr std::uint64_t directory = 0xc000200000;

wire_go_swiss_map swiss(std::uint8_t depth, std::uint64_t used) {
    return {used, 7, directory, 1ull << depth, depth, static_cast<std::uint8_t>(64 - depth), 0, {}};
}

wire_go_swiss_table table(std::uint16_t capacity, std::uint8_t depth) { return {0, capacity, 0, depth, 0}; }

TEST(GoMapMemory, a_swiss_map_of_one_group_has_no_directory) {
    const GoMapHead small = head_of(wire_go_swiss_map{8, 7, 0xc000300000, 0, 0, 64, 0, {}}, {});
    EXPECT_TRUE(small.plausible);
    EXPECT_EQ(small.buckets, 1u);
    EXPECT_EQ(small.log2_buckets, 0);
    EXPECT_EQ(small.seed, 7u);
    EXPECT_FALSE(head_of(wire_go_swiss_map{9, 7, 0, 0, 0, 64, 0, {}}, {}).plausible);
}

TEST(GoMapMemory, groups_of_a_swiss_map_are_those_of_its_tables_each_counted_once) {
    EXPECT_EQ(head_of(swiss(0, 100), {table(128, 0)}).buckets, 16u);
    EXPECT_EQ(head_of(swiss(0, 100), {table(128, 0)}).log2_buckets, 4);
    // One table at two entries, two at one each.
    const GoMapHead three = head_of(swiss(2, 2000), {table(1024, 1), table(1024, 1), table(1024, 2), table(512, 2)});
    EXPECT_TRUE(three.plausible);
    EXPECT_EQ(three.buckets, 128u + 128 + 64);
    EXPECT_EQ(three.log2_buckets, 9) << "its directory has room for four tables of 128";
}

TEST(GoMapMemory, of_a_sample_of_a_directory_the_rest_is_as_the_sample) {
    EXPECT_EQ(head_of(swiss(4, 100), {table(1024, 4), table(1024, 4)}).buckets, 16u * 128);
}

TEST(GoMapMemory, what_is_no_swiss_map_is_said_to_be_none) {
    const std::vector<wire_go_swiss_table> good{table(64, 0)};
    EXPECT_TRUE(head_of(swiss(0, 50), good).plausible);
    EXPECT_FALSE(head_of(swiss(0, 65), good).plausible) << "more elements than slots";
    for (const wire_go_swiss_table bad : {table(0, 0), table(48, 0), table(2048, 0), table(64, 1)})
        EXPECT_FALSE(head_of(swiss(0, 1), {bad}).plausible) << bad.capacity;
    wire_go_swiss_map broken = swiss(1, 1);
    broken.entries = 3;
    EXPECT_FALSE(head_of(broken, {table(64, 0), table(64, 0), table(64, 0)}).plausible);
    broken = swiss(0, 1);
    broken.writing = 2;
    EXPECT_FALSE(head_of(broken, good).plausible);
}

TEST(GoMaps, of_a_swiss_map_of_several_tables_its_memory_tells_how_many_groups_it_has) {
    GoMaps maps(100);
    GoObservation split = growth(7, 8, 9);
    split.added = 128;
    GoMap& map = *(maps.meet(split), maps.living().front());
    EXPECT_EQ(map.buckets, 256u + 128);
    GoMapHead head{true, 7, 9, 2500, 256 + 64};
    maps.look(map, head);
    EXPECT_EQ(map.buckets, 320u);
    EXPECT_EQ(map.size, 2500u);
    GoObservation without_directory = growth(7, 9, 9);
    without_directory.added = 128;
    maps.meet(without_directory);
    EXPECT_EQ(map.buckets, 448u);
    head.log2_buckets = 8;
    maps.look(map, head);
    EXPECT_EQ(map.buckets, 448u) << "its memory is behind";
    EXPECT_TRUE(map.alive);
}

}  // namespace
}  // namespace mapaudit::sources
