// SPDX-License-Identifier: Apache-2.0
//
// Cells, pages and extras at their bounds: what finds no place of its own is counted in "(other)" or lost, by name.
#include <set>

#include "usdt_host.hpp"

namespace mapaudit::test {
namespace {

TEST(Cells, maps_have_cells_of_their_own_until_these_run_out) {
    UsdtHost host({.cells = 4, .others = 2});
    std::set<std::uint32_t> cells;
    for (std::uint32_t map = 1; map <= 2; ++map) cells.insert(usdt_cell_of(wire_key(1, map, 0)));
    EXPECT_EQ(cells, (std::set<std::uint32_t>{2, 3}));
    EXPECT_EQ(usdt_cell_of(wire_key(0, 3, 0)), 0u);
    EXPECT_EQ(usdt_cell_of(wire_key(1, 3, 0)), 1u);  // each domain's "(other)"
    EXPECT_EQ(usdt_cell_of(wire_key(1, 1, 0)), *cells.begin());
    EXPECT_EQ(usdt_next_cell(), 4u);  // asking on does not count on
}

TEST(Cells, threads_of_one_map_are_told_apart) {
    UsdtHost host;
    EXPECT_NE(usdt_cell_of(wire_key(0, 7, 100)), usdt_cell_of(wire_key(0, 7, 101)));
    EXPECT_EQ(usdt_cell_of(wire_key(0, 7, 100)), usdt_cell_of(wire_key(0, 7, 100)));
}

TEST(Cells, a_full_table_of_slots_leads_to_other) {
    UsdtHost host({.cells = 40, .slots = 16});
    std::set<std::uint32_t> own;
    for (std::uint32_t map = 1; map <= 16; ++map) own.insert(usdt_cell_of(wire_key(0, map, 0)));
    EXPECT_EQ(own.size(), 16u);
    EXPECT_FALSE(own.contains(0));
    EXPECT_EQ(usdt_cell_of(wire_key(0, 17, 0)), 0u);
}

TEST(Cells, a_slot_that_another_CPU_takes_first_is_passed_over) {
    UsdtHost host;
    const std::uint64_t rival = wire_key(0, 99, 0), key = wire_key(0, 7, 0);
    bool taken = false;
    host.kernel.before_atomic = [&](const volatile void* at) {
        for (std::uint32_t i = 0; i < host.sizes.slots && !taken; ++i) {
            auto& slot = host.kernel.at<wire_slot>("slots", i);
            if (at != &slot.key) continue;
            taken = true;
            slot.key = rival;
            slot.cell = 5;
        }
    };
    const std::uint32_t cell = usdt_cell_of(key);
    ASSERT_TRUE(taken);
    EXPECT_NE(cell, 5u);
    EXPECT_EQ(usdt_cell_of(key), cell);
}

TEST(Cells, two_CPUs_that_give_one_slot_its_cell_agree) {
    UsdtHost host;
    const std::uint64_t key = wire_key(0, 7, 0);
    std::uint32_t theirs = 0;
    host.kernel.before_atomic = [&](const volatile void* at) {
        for (std::uint32_t i = 0; i < host.sizes.slots; ++i) {
            const auto& slot = host.kernel.at<wire_slot>("slots", i);
            if (at != &slot.cell || slot.key != key) continue;
            host.kernel.before_atomic = nullptr;
            theirs = usdt_cell_of(key);
            return;
        }
    };
    EXPECT_EQ(usdt_cell_of(key), theirs);
    EXPECT_NE(theirs, 0u);
}

TEST(Cells, a_map_without_a_cell_is_counted_in_other) {
    UsdtHost host({.cells = 2});
    std::vector<mapaudit_record> records = records_of(7, 10);
    for (std::size_t i = 4; i < 10; ++i) records[i] = record_of(static_cast<std::uint32_t>(10 + i));
    host.batch(records);
    host.expect_balance(10);
    EXPECT_EQ(host.ledger().handled, 10u);
    EXPECT_EQ(host.timed(host.cell(0, 0).op[MAPAUDIT_OP_LOOKUP]), 6u);
    EXPECT_EQ(host.timed(host.cell(0, 1).op[MAPAUDIT_OP_LOOKUP]), 4u);
}

TEST(Pages, what_finds_none_is_counted_with_others) {
    UsdtHost host({.pages = 1 + 4 + 1, .pages_for_others = 4});  // none, others', one for all maps
    host.batch(records_of(7, 10));
    host.batch(records_of(8, 5), {.first = 10});
    host.expect_balance(15);
    EXPECT_EQ(host.ledger().handled, 15u);
    EXPECT_EQ(host.timed(host.op_of(7, MAPAUDIT_OP_LOOKUP)), 10u);
    EXPECT_EQ(host.timed(host.op_of(8, MAPAUDIT_OP_LOOKUP)), 0u);
    EXPECT_EQ(host.timed(host.cell(0, 0).op[MAPAUDIT_OP_LOOKUP]), 5u);
    EXPECT_EQ(host.op_of(8, MAPAUDIT_OP_LOOKUP).lost, 0u);
}

TEST(Pages, what_finds_none_with_others_either_is_lost_to_its_map) {
    UsdtHost host({.pages = 2, .pages_for_others = 0});
    auto records = records_of(8, 50);
    for (std::size_t i = 0; i < 20; ++i) records[i] = record_of(7);
    records[40] = record_of(8, 100, MAPAUDIT_OP_LOOKUP, MAPAUDIT_REC_SAMPLED);
    records[41] = record_of(8, 1000, MAPAUDIT_OP_LOOKUP, MAPAUDIT_REC_COUNT);  // needs no page
    host.batch(records);
    host.expect_balance(50);
    EXPECT_EQ(host.ledger().handled, 21u);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_NO_PAGE], 29u);
    const wire_cell_op& op = host.op_of(8, MAPAUDIT_OP_LOOKUP);
    EXPECT_EQ(op.lost, 29u);
    EXPECT_EQ(op.sampled, 0u);
    EXPECT_EQ(op.counted, 1000u);
}

TEST(Pages, a_sampled_call_is_sampled_where_it_is_timed) {
    UsdtHost host({.pages = 1 + 4 + 1, .pages_for_others = 4});
    host.batch(records_of(7, 1));
    const auto sampled = record_of(8, 100, MAPAUDIT_OP_LOOKUP, MAPAUDIT_REC_SAMPLED);
    host.batch(std::span(&sampled, 1), {.first = 1});
    host.expect_balance(2);
    EXPECT_EQ(host.op_of(8, MAPAUDIT_OP_LOOKUP).sampled, 0u);
    EXPECT_EQ(host.cell(0, 0).op[MAPAUDIT_OP_LOOKUP].sampled, 1u);
}

TEST(Pages, each_is_given_once_and_none_twice) {
    UsdtHost host({.pages = 12, .pages_for_others = 4});
    std::set<std::uint32_t> own, others;
    for (int i = 0; i < 7; ++i) own.insert(usdt_new_page(1));
    for (int i = 0; i < 4; ++i) others.insert(usdt_new_page(host.sizes.cells));  // the second lane's "(other)"
    EXPECT_EQ(own, (std::set<std::uint32_t>{5, 6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(others, (std::set<std::uint32_t>{1, 2, 3, 4}));
    EXPECT_EQ(usdt_new_page(1), 0u);
    EXPECT_EQ(usdt_new_page(0), 0u);
}

// Each lost call asks again. The count of asked pages must not come round to those that are given.
TEST(Pages, asking_without_end_gives_none_a_second_time) {
    UsdtHost host({.pages = 12, .pages_for_others = 4});
    for (int i = 0; i < 4; ++i) usdt_new_page(0);
    const std::uint32_t before = usdt_next_other_page();
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(usdt_new_page(0), 0u);
    EXPECT_EQ(usdt_next_other_page(), before);
}

TEST(Pages, buckets_keep_to_their_bounds) {
    for (const std::uint64_t value : {0ull, 31ull, 32ull, 33ull, 63ull, 64ull, (1ull << 40) - 1, (1ull << 41) - 1})
        EXPECT_LT(usdt_bucket_of(value), MAPAUDIT_BUCKETS) << value;
    EXPECT_EQ(usdt_bucket_of(1ull << 41), MAPAUDIT_BUCKETS - 1);
    EXPECT_EQ(usdt_bucket_of(~0ull), MAPAUDIT_BUCKETS - 1);
    for (std::uint32_t bucket = 0; bucket < MAPAUDIT_BUCKETS; ++bucket)
        ASSERT_EQ(usdt_bucket_of(mapaudit_bucket_floor(bucket)), bucket);
}

TEST(Extras, waits_without_a_histogram_are_summed_all_the_same) {
    UsdtHost host({.extras = 2});  // none, and one
    const std::vector<mapaudit_record> records = {
        record_of(7, 500, MAPAUDIT_OP_LOOKUP, MAPAUDIT_REC_GREW, 40),
        record_of(8, 500, MAPAUDIT_OP_LOOKUP, MAPAUDIT_REC_GREW, 50),
    };
    host.batch(records);
    host.expect_balance(2);
    EXPECT_EQ(host.ledger().handled, 2u);
    const wire_cell_op &first = host.op_of(7, MAPAUDIT_OP_LOOKUP), &second = host.op_of(8, MAPAUDIT_OP_LOOKUP);
    EXPECT_EQ(first.extra, 1u);
    EXPECT_EQ(first.grew_sum, 500u);
    EXPECT_EQ(second.extra, 0u);
    EXPECT_EQ(second.grew_sum, 0u);  // its count is in that histogram, and so the sum is not
    EXPECT_EQ(second.waits, 1u);
    EXPECT_EQ(second.wait_sum, 50u);
}

TEST(Extras, an_extra_histogram_without_a_page_is_left_out) {
    UsdtHost host({.pages = 1 + 4 + 1, .pages_for_others = 4});
    const auto record = record_of(7, 500, MAPAUDIT_OP_LOOKUP, MAPAUDIT_REC_GREW, 40);
    host.batch(std::span(&record, 1));
    host.expect_balance(1);
    const wire_cell_op& op = host.op_of(7, MAPAUDIT_OP_LOOKUP);
    EXPECT_EQ(op.waits, 1u);
    EXPECT_EQ(op.grew_sum, 0u);  // the wait's histogram took the only page
    EXPECT_EQ(host.timed(op), 0u);
    EXPECT_EQ(host.timed(host.cell(0, 0).op[MAPAUDIT_OP_LOOKUP]), 1u);
}

}  // namespace
}  // namespace mapaudit::test
