// SPDX-License-Identifier: Apache-2.0
//
// Probes with one event a hit: operations, growth, conflicts, creation and destruction.
#include "usdt_host.hpp"

namespace mapaudit::test {
namespace {

template <typename Event>
std::vector<Event> drain(UsdtHost& host, std::uint32_t type) {
    std::vector<Event> all;
    for (const auto& bytes : host.kernel.ring("events").drain()) {
        EXPECT_EQ(bytes.size(), sizeof(Event));
        Event event;
        std::memcpy(static_cast<void*>(&event), bytes.data(), std::min(bytes.size(), sizeof(Event)));
        EXPECT_EQ(event.event.type, type);
        EXPECT_EQ(event.event.reserved, 0u);
        all.push_back(event);
    }
    return all;
}

TEST(SingleEvents, an_operation_is_counted_where_it_is) {
    UsdtHost host;
    host.kernel.cpu = 2;
    host.hit(WIRE_ASSIGN, {7, 500, 40, MAPAUDIT_REC_MIGRATED, 0, 0});
    host.hit(WIRE_LOOKUP, {7, 100, 0, 0, 0, 0});
    host.hit(WIRE_ERASE, {7, ~0ull, 0, 0, 0, 0});  // longer than any bucket
    host.expect_balance(3);
    const wire_cell_op& op = host.op_of(7, MAPAUDIT_OP_ASSIGN, 2);
    EXPECT_EQ(host.timed(op), 1u);
    EXPECT_EQ(op.migrations, 1u);
    EXPECT_EQ(op.wait_sum, 40u);
    EXPECT_EQ(host.calls(), 3u);
    EXPECT_EQ(host.ledger().event_hits, 3u);
    EXPECT_EQ(host.ledger().timed_hits, 3u);
}

TEST(SingleEvents, an_operation_on_a_lane_in_use_is_lost_as_busy) {
    UsdtHost host;
    host.lane(0).busy = 1;
    host.hit(WIRE_LOOKUP, {7, 100, 0, 0, 0, 0});
    host.expect_balance(1);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_BUSY], 1u);
    host.kernel.cpu = 1;
    host.hit(WIRE_LOOKUP, {7, 100, 0, 0, 0, 0});
    host.expect_balance(2);
    EXPECT_EQ(host.ledger().handled, 1u);
}

TEST(SingleEvents, an_operation_without_a_page_is_counted_with_others_or_lost) {
    UsdtHost some({.pages = 2, .pages_for_others = 1});
    some.hit(WIRE_LOOKUP, {7, 100, 40, MAPAUDIT_REC_MIGRATED, 0, 0});
    some.expect_balance(1);
    EXPECT_EQ(some.timed(some.cell(0, 0).op[MAPAUDIT_OP_LOOKUP]), 1u);
    EXPECT_EQ(some.op_of(7, MAPAUDIT_OP_LOOKUP).migrations, 0u);  // its call is not here either
    UsdtHost none({.pages = 1, .pages_for_others = 0});
    none.hit(WIRE_LOOKUP, {7, 100, 0, 0, 0, 0});
    none.expect_balance(1);
    EXPECT_EQ(none.ledger().lost[WIRE_LOST_NO_PAGE], 1u);
    EXPECT_EQ(none.op_of(7, MAPAUDIT_OP_LOOKUP).lost, 1u);
    EXPECT_EQ(none.lane(0).busy, 0u);
}

TEST(SingleEvents, a_growth_is_counted_and_sent) {
    UsdtHost host;
    host.hit(WIRE_GROW, {7, 8, 16, 1000, MAPAUDIT_GROW_LOAD, 3ull << 32 | 2});
    host.expect_balance(1);
    EXPECT_EQ(host.op_of(7, MAPAUDIT_OP_GROW).buckets_grown, 8);
    const auto events = drain<wire_grow>(host, WIRE_EVENT_GROW);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].counted, 1u);
    EXPECT_EQ(events[0].part, 2u);
    EXPECT_EQ(events[0].number, 3u);
    EXPECT_EQ(events[0].reason, static_cast<std::uint32_t>(MAPAUDIT_GROW_LOAD));
}

TEST(SingleEvents, a_growth_on_a_lane_in_use_is_the_readers_to_count) {
    UsdtHost host;
    host.lane(0).busy = 1;
    host.hit(WIRE_GROW, {7, 8, 16, 1000, MAPAUDIT_GROW_LOAD, 0});
    host.expect_balance(1);
    EXPECT_EQ(host.ledger().spilled, 1u);
    EXPECT_EQ(drain<wire_grow>(host, WIRE_EVENT_GROW).at(0).counted, 0u);
    host.kernel.ring("events").refuses = true;
    host.hit(WIRE_GROW, {7, 16, 32, 1000, MAPAUDIT_GROW_LOAD, 0});
    host.expect_balance(2);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_RING], 1u);
    EXPECT_EQ(host.ledger().events_dropped, 1u);
    host.lane(0).busy = 0;
    host.hit(WIRE_GROW, {7, 32, 16, 1000, MAPAUDIT_GROW_LOAD, 0});  // counted, and its details are not sent
    host.expect_balance(3);
    EXPECT_EQ(host.ledger().handled, 1u);
    EXPECT_EQ(host.ledger().events_dropped, 2u);
    EXPECT_EQ(host.op_of(7, MAPAUDIT_OP_GROW).buckets_grown, -16);
}

TEST(SingleEvents, a_conflict_is_counted_once_for_its_two_sides) {
    UsdtHost host;
    host.hit(WIRE_CONFLICT, {7, MAPAUDIT_CONFLICT_WRITE_WRITE, 55, MAPAUDIT_SIDE_SECOND, 10, 0});
    host.expect_balance(1);
    host.kernel.tid = 55;
    host.hit(WIRE_CONFLICT, {7, MAPAUDIT_CONFLICT_WRITE_WRITE, 1001, MAPAUDIT_SIDE_FIRST, 10, 0});
    host.expect_balance(1);
    EXPECT_EQ(host.op_of(7, MAPAUDIT_OP_ASSIGN).conflicts, 1u);
    EXPECT_EQ(drain<wire_conflict>(host, WIRE_EVENT_CONFLICT).size(), 1u);
    const auto rows = host.kernel.map("evidence").rows<wire_evidence_key, wire_evidence>();
    std::uint64_t with_both = 0;
    for (const auto& [key, row] : rows)
        if (key.kind == WIRE_RACING && key.stack != 0 && key.other_stack != 0) with_both += row.count;
    EXPECT_EQ(with_both, 1u);
}

TEST(SingleEvents, a_conflict_that_cannot_be_sent_is_handled_if_it_was_counted) {
    UsdtHost host;
    host.kernel.ring("events").refuses = true;
    host.hit(WIRE_CONFLICT, {7, MAPAUDIT_CONFLICT_READ_WRITE, 55, MAPAUDIT_SIDE_SECOND, 10, 0});
    host.expect_balance(1);
    EXPECT_EQ(host.ledger().handled, 1u);
    EXPECT_EQ(host.op_of(7, MAPAUDIT_OP_LOOKUP).conflicts, 1u);
    host.lane(0).busy = 1;
    host.hit(WIRE_CONFLICT, {7, MAPAUDIT_CONFLICT_READ_WRITE, 55, MAPAUDIT_SIDE_SECOND, 10, 0});
    host.expect_balance(2);
    EXPECT_EQ(host.ledger().lost[WIRE_LOST_RING], 1u);
    host.kernel.ring("events").refuses = false;
    host.hit(WIRE_CONFLICT, {7, MAPAUDIT_CONFLICT_READ_WRITE, 55, MAPAUDIT_SIDE_SECOND, 10, 0});
    host.expect_balance(3);
    EXPECT_EQ(host.ledger().spilled, 1u);
}

TEST(SingleEvents, a_descriptor_that_cannot_be_read_is_dropped_and_leaves_the_ring_free) {
    UsdtHost host;
    mapaudit_map_desc desc{};
    desc.id = 7;
    host.hit(WIRE_CREATE, {7, reinterpret_cast<std::uintptr_t>(&desc), UsdtHost::registry, 0, 0, 0});
    EXPECT_EQ(drain<wire_create>(host, WIRE_EVENT_CREATE).at(0).desc.id, 7u);
    host.hit(WIRE_CREATE, {7, 0, UsdtHost::registry, 0, 0, 0});
    EXPECT_EQ(host.ledger().events_dropped, 1u);
    EXPECT_EQ(host.kernel.ring("events").used(), 0u);
    host.hit(WIRE_DESTROY, {7, 1, 2, 3, UsdtHost::registry, 0});
    EXPECT_EQ(drain<wire_destroy>(host, WIRE_EVENT_DESTROY).at(0).grows, 3u);
    host.kernel.ring("events").refuses = true;
    host.hit(WIRE_CREATE, {7, reinterpret_cast<std::uintptr_t>(&desc), UsdtHost::registry, 0, 0, 0});
    host.hit(WIRE_DESTROY, {7, 1, 2, 3, UsdtHost::registry, 0});
    host.hit(WIRE_EVACUATE, {7, 1, 2, 0, 0, 0});
    EXPECT_EQ(host.ledger().events_dropped, 4u);
    host.expect_balance(0);  // these are not counts
}

TEST(SingleEvents, a_stack_is_copied_once_and_again_after_a_full_ring) {
    UsdtHost host;
    host.kernel.ring("stacks").refuses = true;
    host.hit(WIRE_GROW, {7, 8, 16, 1000, MAPAUDIT_GROW_LOAD, 0});
    EXPECT_EQ(host.ledger().stacks_dropped, 1u);
    host.kernel.ring("stacks").refuses = false;
    host.hit(WIRE_GROW, {7, 8, 16, 1000, MAPAUDIT_GROW_LOAD, 0});
    host.hit(WIRE_GROW, {7, 8, 16, 1000, MAPAUDIT_GROW_LOAD, 0});
    const auto stacks = host.kernel.ring("stacks").drain();
    ASSERT_EQ(stacks.size(), 1u);
    EXPECT_EQ(host.ledger().stacks_dropped, 1u);
    const auto rows = host.kernel.map("evidence").rows<wire_evidence_key, wire_evidence>();
    ASSERT_EQ(rows.size(), 1u);  // one name, whether it was copied or not
    EXPECT_EQ(rows[0].second.count, 3u);
    EXPECT_EQ(reinterpret_cast<const wire_stack*>(stacks[0].data())->fingerprint, rows[0].first.stack);
}

}  // namespace
}  // namespace mapaudit::test
