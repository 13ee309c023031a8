// SPDX-License-Identifier: Apache-2.0
//
// Each call is counted once, whichever way it comes and however often.
#include "sources/usdt/usdt_reconciler.hpp"

#include <gtest/gtest.h>

#include "unit/sources/usdt_target.hpp"

namespace mapaudit::sources {
namespace {

constexpr int assign = MAPAUDIT_OP_ASSIGN, lookup = MAPAUDIT_OP_LOOKUP;

TEST(Reconciler, a_batch_that_comes_through_two_probes_is_counted_once) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, true);
    audit.take_baseline();
    for (int i = 0; i < 300; ++i) threads.timed(0, 7, assign);
    const auto batch = threads.hand_over(0);
    EXPECT_EQ(audit.arrives(batch), 300u);
    EXPECT_EQ(audit.arrives(batch), 0u);
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 300}}));
    EXPECT_EQ(audit.missed, 0u);
}

TEST(Reconciler, what_an_idle_thread_holds_is_read_once) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, false);
    audit.take_baseline();
    for (int i = 0; i < 41; ++i) threads.timed(0, 7, lookup);
    audit.take_pending();
    audit.take_pending();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, lookup}, 41}}));
    // It wakes up: of its next batch, the older part has been read already.
    for (int i = 0; i < 9; ++i) threads.timed(0, 7, assign);
    EXPECT_EQ(audit.arrives(threads.hand_over(0)), 9u);
    audit.take_pending();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, lookup}, 41}, {{7, assign}, 9}}));
    EXPECT_EQ(audit.missed, 0u);
}

TEST(Reconciler, a_batch_on_its_way_is_taken_by_whoever_comes_first) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, false);
    audit.take_baseline();
    for (int i = 0; i < 100; ++i) threads.timed(0, 7, assign);
    const auto batch = threads.hand_over(0);
    audit.take_pending();
    EXPECT_EQ(audit.arrives(batch), 0u);
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 100}}));
}

TEST(Reconciler, a_copy_that_a_batch_overtook_is_thrown_away) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, false);
    audit.take_baseline();
    for (int i = 0; i < 100; ++i) threads.timed(0, 7, assign);
    threads.meanwhile = [&] { audit.arrives(threads.hand_over(0)); };
    audit.take_pending();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 100}}));
    EXPECT_EQ(audit.pending_tids.size(), 0u) << "not from the block";
}

TEST(Reconciler, leaves_for_later_what_cannot_be_read) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, false);
    audit.take_baseline();
    for (int i = 0; i < 100; ++i) threads.timed(0, 7, assign);
    threads.unreadable(true);
    audit.take_pending();
    EXPECT_TRUE(audit.calls.empty());
    threads.unreadable(false);
    audit.take_pending();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 100}}));
}

TEST(Reconciler, what_an_earlier_listener_was_owed_is_left_out) {
    FakeThreads threads(2);
    for (int i = 0; i < 30; ++i) threads.timed(0, 7, assign);
    threads.counted(0, 7, lookup, 40);
    threads.counted(1, 7, lookup, 2);
    FakeAudit audit(threads, 2, true);
    audit.take_baseline();
    threads.timed(0, 7, assign);
    threads.counted(0, 7, lookup, 5);
    threads.counted(0, 8, lookup, 3);
    EXPECT_EQ(audit.arrives(threads.hand_over(0)), 3u) << "one timed, two sums of calls";
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 1}, {{7, lookup}, 3}, {{8, lookup}, 3}}))
        << "42 of 45 are from before, whichever thread made them";
    audit.take_residual();
    EXPECT_EQ((audit.calls[{7, lookup}]), 5u) << "2 more are the other thread's from before; none is left of those";
}

TEST(Reconciler, an_audit_that_times_every_call_takes_no_part_in_others_counts) {
    FakeThreads threads(1);
    threads.counted(0, 7, lookup, 40);
    FakeAudit audit(threads, 1, false);
    audit.take_baseline();
    threads.timed(0, 7, lookup);
    audit.arrives(threads.hand_over(0));
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, lookup}, 1}}));
}

TEST(Reconciler, calls_are_counted_once_from_full_to_sampled_and_back) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, true);
    audit.take_baseline();
    for (int i = 0; i < 10; ++i) threads.timed(0, 7, assign);  // full
    audit.take_pending();                                      // while both probes are attached
    threads.counted(0, 7, assign, 100);                        // sampled
    threads.timed(0, 7, assign, MAPAUDIT_REC_SAMPLED);         // one of these
    audit.take_pending();
    EXPECT_EQ((audit.calls[{7, assign}]), 10u) << "the rest is in the counters";
    threads.timed(0, 7, assign);  // full again
    EXPECT_EQ(audit.arrives(threads.hand_over(0)), 2u) << "a sum of calls, and one timed";
    EXPECT_EQ((audit.calls[{7, assign}]), 111u);
    audit.take_pending();
    audit.take_residual();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 111}}));
}

TEST(Reconciler, at_the_detach_the_counters_are_read_out) {
    FakeThreads threads(2);
    FakeAudit audit(threads, 2, true);
    audit.take_baseline();
    threads.counted(0, 7, assign, 100);
    threads.counted(1, 7, assign, 20);
    threads.counted(1, 8, lookup, 3);
    audit.take_residual();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 120}, {{8, lookup}, 3}}));
}

TEST(Reconciler, what_was_owed_to_an_earlier_listener_is_left_out_of_the_counters_too) {
    FakeThreads threads(1);
    threads.counted(0, 7, assign, 40);
    FakeAudit audit(threads, 1, true);
    audit.take_baseline();
    threads.counted(0, 7, assign, 2);
    audit.take_residual();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 2}}));
}

TEST(Reconciler, counters_that_were_read_out_on_the_way_to_events_are_not_read_again) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, true);
    audit.take_baseline();
    threads.counted(0, 7, assign, 100);
    audit.take_residual();  // to level events
    audit.reconciler.forget_stale();
    threads.counted(0, 7, assign, 17);  // another listener's doing
    for (int i = 0; i < 5; ++i) threads.timed(0, 7, assign);
    audit.take_baseline();  // and back
    threads.counted(0, 7, assign, 8);
    audit.arrives(threads.hand_over(0));
    audit.take_residual();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 108}}));
}

TEST(Reconciler, a_block_goes_on_where_the_thread_before_left_it) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, true);
    audit.take_baseline();
    threads.timed(0, 7, assign);
    threads.counted(0, 7, lookup, 6);
    audit.take_pending();
    EXPECT_EQ(audit.arrives(threads.end_and_reuse(0, 555)), 1u) << "the sum of calls";
    for (int i = 0; i < 4; ++i) threads.timed(0, 7, assign);
    audit.take_pending();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 5}, {{7, lookup}, 6}}));
    EXPECT_EQ(audit.pending_tids, (std::vector<std::uint32_t>{100, 555}));
    EXPECT_EQ(audit.missed, 0u);
}

TEST(Reconciler, counters_that_change_while_they_are_read_are_left_alone) {
    // The block was seen before its thread turned its counters into records.
    class Late final : public ThreadBlocks {
    public:
        explicit Late(FakeThreads& threads) : threads_(threads), before_(threads.blocks(1)) {}
        std::vector<RegistryBlock> blocks(std::size_t) const override { return before_; }
        std::vector<mapaudit_record> records(const RegistryBlock& block, std::uint64_t from) const override {
            return threads_.records(block, from);
        }
        std::optional<BlockCounters> counters(const RegistryBlock& block) const override {
            return threads_.counters(block);
        }

    private:
        FakeThreads& threads_;
        std::vector<RegistryBlock> before_;
    };
    FakeThreads threads(1);
    threads.counted(0, 7, lookup, 6);
    const Late late(threads);
    FakeAudit audit(threads, 1, true);
    const auto batch = threads.hand_over(0);
    threads.counted(0, 7, lookup, 2);
    audit.reconciler.take_residual({0, late, audit.taken},
                                   [](const RegistryBlock&, std::uint32_t, int, std::uint64_t) { FAIL(); });
    audit.arrives(batch);
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, lookup}, 6}}));
}

TEST(Reconciler, more_than_a_ring_behind_waits_for_the_batches) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, false);
    audit.take_baseline();
    std::vector<FiredBatch> batches;
    for (unsigned i = 0; i < 3 * MAPAUDIT_BATCH; ++i) {
        threads.timed(0, 7, assign);
        if ((i + 1) % MAPAUDIT_BATCH == 0) batches.push_back(*threads.hand_over(0));
    }
    audit.take_pending();
    EXPECT_TRUE(audit.calls.empty()) << "their first records are overwritten";
    EXPECT_EQ(audit.arrives(batches[0]), MAPAUDIT_BATCH);
    audit.take_pending();
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 3 * MAPAUDIT_BATCH}})) << "exactly a ring is all there";
    EXPECT_EQ(audit.arrives(batches[1]) + audit.arrives(batches[2]), 0u);
}

TEST(Reconciler, a_gap_is_noticed_after_the_first_batch_and_also_after_a_reading_in_between) {
    FakeThreads threads(1);
    FakeAudit audit(threads, 1, false);
    audit.take_baseline();
    const auto fire = [&] {
        for (int i = 0; i < 10; ++i) threads.timed(0, 7, assign);
        return threads.hand_over(0);
    };
    fire();  // before the probe was in place: nobody's
    audit.arrives(fire());
    EXPECT_EQ(audit.missed, 0u);
    for (int i = 0; i < 3; ++i) threads.timed(0, 7, assign);
    audit.take_pending();
    EXPECT_NE(audit.taken[0] & WIRE_TAKEN_SEEN, 0u) << "the reading does not forget that a batch had come";
    threads.hand_over(0);
    fire();  // not delivered
    audit.arrives(fire());
    EXPECT_EQ(audit.missed, 10u);
    EXPECT_EQ(audit.calls, (CallsByOp{{{7, assign}, 23}}));
}

TEST(Reconciler, stale_calls_of_maps_without_rows_are_taken_from_the_row_they_share) {
    FakeThreads threads(1);
    threads.counted(0, 1, assign, 10);
    threads.counted(0, 2, assign, 20);
    FakeAudit audit(threads, 1, true, 1);
    audit.take_baseline();
    ASSERT_EQ(audit.admission.admit(0, 1), 1u);
    ASSERT_EQ(audit.admission.admit(0, 2), model::other_maps);
    const CallKey others{0, model::other_maps, assign}, other_domains{1, model::other_maps, assign};
    EXPECT_EQ(audit.reconciler.without_stale(other_domains, 25), 25u);
    EXPECT_EQ(audit.reconciler.without_stale({0, model::other_maps, lookup}, 25), 25u);
    EXPECT_EQ(audit.reconciler.without_stale(others, 25), 5u);
    EXPECT_EQ(audit.reconciler.without_stale(others, 25), 25u);
    EXPECT_EQ(audit.reconciler.without_stale({0, 1, assign}, 4), 0u);
    EXPECT_EQ(audit.reconciler.without_stale({0, 1, assign}, 7), 1u);
}

}  // namespace
}  // namespace mapaudit::sources
