// SPDX-License-Identifier: Apache-2.0
//
// A batch's way through the program: whatever becomes of a record, handled + spilled + lost = fired.
#include <limits>

#include "usdt_host.hpp"

namespace mapaudit::test {
namespace {

using Batch = UsdtHost::Batch;

TEST(Batches, plain_records_are_counted_in_their_maps_cells) {
    UsdtHost host;
    auto records = records_of(7, 100);
    for (std::size_t i = 0; i < 37; ++i) records[i] = record_of(8, 5000, MAPAUDIT_OP_ASSIGN);
    host.batch(records);
    host.expect_balance(100);
    EXPECT_EQ(host.ledger().handled, 100u);
    EXPECT_EQ(host.timed(host.op_of(7, MAPAUDIT_OP_LOOKUP)), 63u);
    EXPECT_EQ(host.op_of(7, MAPAUDIT_OP_LOOKUP).latency_sum, 6300u);
    EXPECT_EQ(host.timed(host.op_of(8, MAPAUDIT_OP_ASSIGN)), 37u);
    EXPECT_EQ(host.op_of(8, MAPAUDIT_OP_ASSIGN).latency_max, 5000u);
    EXPECT_EQ(host.calls(), 100u);
}

TEST(Batches, every_size_of_a_batch_is_counted_whole) {
    const auto records = records_of(7, MAPAUDIT_BATCH);
    for (std::uint32_t count = 1; count <= MAPAUDIT_BATCH; ++count) {
        UsdtHost host;
        host.batch(std::span(records).first(count));
        host.expect_balance(count);
        ASSERT_EQ(host.ledger().handled, count);
        ASSERT_EQ(host.calls(), count);
    }
}

TEST(Batches, a_batch_seen_twice_is_counted_once_and_a_gap_is_lost) {
    UsdtHost host;
    const auto records = records_of(7, 10);
    host.batch(records, {.first = 100});
    host.batch(records, {.first = 100});
    host.batch(records, {.first = 105});
    host.batch(records, {.first = 120});
    host.expect_balance(10 + 5 + 5 + 10);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_MISSED], 5u);
    EXPECT_EQ(host.calls(), 25u);
}

TEST(Batches, what_no_library_fires_is_malformed) {
    UsdtHost host;
    const auto records = records_of(7, 10);
    const auto at = reinterpret_cast<std::uintptr_t>(records.data());
    host.hit(WIRE_BATCH, {at, 0, 0, 0, 0, UsdtHost::registry});
    host.expect_balance(0);
    host.hit(WIRE_BATCH, {at, MAPAUDIT_BATCH + 1, 0, 0, 0, UsdtHost::registry});
    host.hit(WIRE_BATCH, {at, ~0ull, 0, 0, 0, UsdtHost::registry});
    host.expect_balance(2);
    host.batch(records, {.cpu = host.sizes.lanes});
    host.expect_balance(12);
    host.batch(records, {.first = WIRE_TAKEN_SEEN});
    host.batch(records, {.first = ~0ull});
    host.expect_balance(32);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_MALFORMED], 32u);
    EXPECT_EQ(host.taken(0), 0u);
    EXPECT_EQ(host.calls(), 0u);
}

// The last numbers that a sequence has: the mark's own bit is not touched by them.
TEST(Batches, a_sequence_at_its_end_stays_malformed) {
    UsdtHost host;
    const auto records = records_of(7, 10);
    host.batch(records, {.first = WIRE_TAKEN_SEEN - 5});
    host.batch(records, {.first = WIRE_TAKEN_SEEN + 5});
    host.expect_balance(20);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_MALFORMED], 10u);
}

TEST(Batches, another_registry_or_domain_is_not_counted) {
    UsdtHost host;
    const auto records = records_of(7, 10);
    host.batch(records, {.registry = UsdtHost::registry + 8});
    host.expect_balance(10);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_REGISTRY], 10u);
    host.batch(records, {.domain = WIRE_MAX_DOMAINS});  // there is none: this is nobody's hit
    host.expect_balance(10);
    host.domain().registry = 0;  // not known yet: any
    host.batch(records, {.registry = 1});
    host.expect_balance(20);
    EXPECT_EQ(host.calls(), 10u);
}

TEST(Batches, unreadable_memory_is_lost_and_the_lane_is_free_again) {
    UsdtHost host;
    const auto records = records_of(7, 10);
    host.kernel.hide(&records[9], 1);  // the last record's first byte will do
    host.batch(records);
    host.expect_balance(10);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_UNREADABLE], 10u);
    EXPECT_EQ(host.calls(), 0u);
    host.batch(std::span(records).first(9), {.first = 10});
    host.expect_balance(19);
    EXPECT_EQ(host.calls(), 9u);
    EXPECT_EQ(host.lane(0).busy, 0u);
}

TEST(Batches, a_lane_in_use_hands_the_batch_over_whole) {
    UsdtHost host;
    auto records = records_of(7, 10);
    records[3].latency = 12345;
    host.lane(2).busy = 1;
    host.kernel.tid = 4242;
    host.batch(records, {.cpu = 2});
    host.expect_balance(10);
    EXPECT_EQ(host.ledger().spilled, 10u);
    const auto events = host.kernel.ring("events").drain();
    ASSERT_EQ(events.size(), 1u);
    ASSERT_EQ(events[0].size(), sizeof(wire_spill));
    const auto& spill = *reinterpret_cast<const wire_spill*>(events[0].data());
    EXPECT_EQ(spill.event.type, static_cast<std::uint32_t>(WIRE_EVENT_SPILL));
    EXPECT_EQ(spill.event.cpu, 2u);  // the records' lane, not where the probe fired
    EXPECT_EQ(spill.event.reserved, 0u);
    ASSERT_EQ(spill.count, 10u);
    EXPECT_EQ(spill.records[3].latency, 12345u);
    EXPECT_EQ(host.lane(2).busy, 1u);  // its holder's still
}

// The thread that holds a lane may be anywhere: the two meet at the compare-and-swap.
TEST(Batches, a_lane_taken_at_the_last_moment_is_a_lane_in_use) {
    UsdtHost host;
    host.kernel.before_atomic = [&](const volatile void* at) {
        if (at == &host.lane(0).busy) host.lane(0).busy = 1;
    };
    host.batch(records_of(7, 10));
    host.kernel.before_atomic = nullptr;
    host.expect_balance(10);
    EXPECT_EQ(host.ledger().spilled, 10u);
}

TEST(Batches, an_overlapping_batch_hands_over_its_new_end) {
    UsdtHost host;
    auto records = records_of(7, 10);
    host.batch(records, {.first = 100});
    host.lane(0).busy = 1;
    records[6].map = 77;
    host.batch(records, {.first = 104});
    host.expect_balance(14);
    const auto events = host.kernel.ring("events").drain();
    ASSERT_EQ(events.size(), 1u);
    const auto& spill = *reinterpret_cast<const wire_spill*>(events[0].data());
    EXPECT_EQ(spill.count, 4u);
    EXPECT_EQ(spill.records[0].map, 77u);
}

TEST(Batches, a_full_ring_and_unreadable_memory_lose_what_would_be_handed_over) {
    UsdtHost host;
    const auto records = records_of(7, 10);
    host.lane(0).busy = 1;
    std::uint64_t batches = 0;
    while (host.lost() == 0 && batches < 10'000) host.batch(records, {.first = 10 * batches++});
    host.expect_balance(10 * batches);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_RING], 10u);
    EXPECT_GT(host.ledger().spilled, 0u);
    EXPECT_EQ(host.kernel.ring("events").drain().size(), batches - 1);
    host.kernel.hide(records.data(), 1);
    host.batch(records, {.first = 10 * batches++});
    host.expect_balance(10 * batches);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_UNREADABLE], 10u);
    EXPECT_EQ(host.kernel.ring("events").used(), 0u);
}

TEST(Batches, malformed_records_are_lost_and_their_neighbours_are_not) {
    UsdtHost host;
    auto records = records_of(7, 100);
    records[0].op = MAPAUDIT_HOT_OPS;
    records[31].op = 0xff;
    records[32].bucket = MAPAUDIT_BUCKETS;
    records[99].bucket = 0xffff;
    host.batch(records);
    host.expect_balance(100);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_MALFORMED], 4u);
    EXPECT_EQ(host.calls(), 96u);
    for (const wire_cell_op& op : host.cell(0, 0).op) EXPECT_EQ(host.timed(op), 0u) << "in (other)";
    host.batch(records_of(7, 10), {.first = 100});  // the tally of the last batch is not this one's
    host.expect_balance(110);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_MALFORMED], 4u);
}

TEST(Batches, the_last_bucket_is_the_last) {
    UsdtHost host;
    auto records = records_of(7, 2);
    records[0].bucket = MAPAUDIT_BUCKETS - 1;
    records[1].bucket = 0;
    host.batch(records);
    host.expect_balance(2);
    const wire_cell_op& op = host.op_of(7, MAPAUDIT_OP_LOOKUP);
    EXPECT_EQ(host.page(op.latency_page[MAPAUDIT_OCTAVES - 1]).count[MAPAUDIT_SUB_BUCKETS - 1], 1u);
    EXPECT_EQ(host.page(op.latency_page[0]).count[0], 1u);
}

// No library writes map 0. It stands for "(other)" wherever counts are shown, and is counted.
TEST(Batches, map_zero_is_counted_as_other) {
    UsdtHost host;
    auto records = records_of(0, 6);
    records[3].map = 7;
    host.batch(records);
    host.expect_balance(6);
    EXPECT_EQ(host.calls(), 6u);
    EXPECT_EQ(host.timed(host.cell(0, 0).op[MAPAUDIT_OP_LOOKUP]), 3u);  // ahead of any map
    EXPECT_EQ(host.timed(host.op_of(0, MAPAUDIT_OP_LOOKUP)), 2u);       // behind one, in map 0's own cell
    EXPECT_EQ(host.timed(host.op_of(7, MAPAUDIT_OP_LOOKUP)), 1u);
}

TEST(Batches, flags_go_to_their_own_counters) {
    UsdtHost host;
    std::vector<mapaudit_record> records = {
        record_of(7, 1000, MAPAUDIT_OP_ASSIGN, MAPAUDIT_REC_COUNT),
        record_of(7, 300, MAPAUDIT_OP_ASSIGN, MAPAUDIT_REC_SAMPLED),
        record_of(7, 300, MAPAUDIT_OP_ASSIGN, MAPAUDIT_REC_MIGRATED, 40),
        record_of(7, 3, MAPAUDIT_OP_ASSIGN, MAPAUDIT_REC_SCALED, 2),
        record_of(7, 500, MAPAUDIT_OP_ASSIGN, MAPAUDIT_REC_GREW),
    };
    records.push_back(record_of(7, 0, MAPAUDIT_OP_ASSIGN, MAPAUDIT_REC_COUNT, 11));
    records.push_back(record_of(7, 0, MAPAUDIT_OP_ASSIGN, MAPAUDIT_REC_COUNT | MAPAUDIT_REC_SCALED, 3));
    host.batch(records);
    host.expect_balance(7);
    const wire_cell_op& op = host.op_of(7, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(op.counted, 1000u);
    EXPECT_EQ(op.sampled, 1u);
    EXPECT_EQ(op.migrations, 1u);
    EXPECT_EQ(op.waits, 4u) << "those of calls that were only counted, too";
    EXPECT_EQ(op.wait_sum, 40u + 2 * 256 + 11 + 3 * 256);
    EXPECT_EQ(op.grew_sum, 500u);
    EXPECT_EQ(op.latency_sum, 300u + 300 + 3 * 256 + 500);
    EXPECT_EQ(host.timed(op), 4u);
    const wire_extra& extra = host.extra(op.extra);
    const std::uint32_t bucket = mapaudit_bucket(500);
    EXPECT_EQ(host.page(extra.grew_page[bucket / MAPAUDIT_SUB_BUCKETS]).count[bucket % MAPAUDIT_SUB_BUCKETS], 1u);
}

TEST(Batches, counters_wrap_and_records_are_still_handled) {
    UsdtHost host;
    host.batch(records_of(7, 1));
    wire_cell_op& op = host.op_of(7, MAPAUDIT_OP_LOOKUP);
    const std::uint32_t bucket = mapaudit_bucket(100);
    std::uint32_t& count =
        host.page(op.latency_page[bucket / MAPAUDIT_SUB_BUCKETS]).count[bucket % MAPAUDIT_SUB_BUCKETS];
    count = std::numeric_limits<std::uint32_t>::max();
    op.latency_sum = std::numeric_limits<std::uint64_t>::max();
    host.batch(records_of(7, 2), {.first = 1});
    host.expect_balance(3);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(op.latency_sum, 199u);
    const auto longest = record_of(7, std::numeric_limits<std::uint32_t>::max(), MAPAUDIT_OP_LOOKUP,
                                   MAPAUDIT_REC_SCALED, std::numeric_limits<std::uint32_t>::max());
    host.batch(std::span(&longest, 1), {.first = 3});
    EXPECT_EQ(op.latency_max, std::uint64_t{longest.latency} << MAPAUDIT_SCALED_SHIFT);
    EXPECT_EQ(op.wait_sum, op.latency_max);
}

TEST(Batches, domains_do_not_mix) {
    UsdtHost host({.others = 2});
    host.batch(records_of(7, 10));
    host.batch(records_of(7, 3), {.domain = 1});
    host.expect_balance(13);
    EXPECT_EQ(host.timed(host.op_of(7, MAPAUDIT_OP_LOOKUP)), 10u);
    EXPECT_EQ(host.timed(host.op_of(7, MAPAUDIT_OP_LOOKUP, 0, 1)), 3u);
}

// A chunk that cannot go on to its end counts what it has come to, and the rest is lost. The table of cells is short
// here: the loader gives it one for each of a lane's.
TEST(Batches, a_chunk_that_ends_early_is_counted_as_far_as_it_came) {
    UsdtHost host;
    host.kernel.map("cells").resize(2);  // "(other)", and the first map's
    auto records = records_of(7, 100);
    records[50] = record_of(8);
    host.batch(records);
    host.expect_balance(100);
    // The second chunk ends at its 18th record; the others find their map's cell at once.
    EXPECT_EQ(host.ledger().handled, 32u + 18 + 32 + 4);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_NO_PAGE], 14u);
    EXPECT_EQ(host.timed(host.op_of(7, MAPAUDIT_OP_LOOKUP)), host.ledger().handled);
}

TEST(Batches, malformed_records_ahead_of_an_early_end_keep_their_cause) {
    UsdtHost host;
    host.kernel.map("cells").resize(2);
    auto records = records_of(7, 10);
    records[2].op = MAPAUDIT_HOT_OPS;
    records[5] = record_of(8);
    records[7].op = MAPAUDIT_HOT_OPS;  // nobody comes to look at it
    host.batch(records);
    host.expect_balance(10);
    EXPECT_EQ(host.ledger().handled, 4u);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_MALFORMED], 1u);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_NO_PAGE], 5u);
}

TEST(Batches, a_chunk_without_a_lane_or_beyond_its_end_counts_nothing) {
    UsdtHost host;
    EXPECT_EQ(usdt_add_chunk(host.sizes.lanes, 0, 10, 0), 0u);
    EXPECT_EQ(usdt_add_chunk(0, MAPAUDIT_BATCH, MAPAUDIT_BATCH, 0), 0u);
    host.kernel.map("cells").resize(0);
    EXPECT_EQ(usdt_add_chunk(0, 0, 10, 0), 0u);
    host.batch(records_of(7, 40));
    host.expect_balance(40);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_NO_PAGE], 40u);
}

}  // namespace
}  // namespace mapaudit::test
