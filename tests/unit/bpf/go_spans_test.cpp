// SPDX-License-Identifier: Apache-2.0
//
// Goroutines that enter a map and leave it: who meets whom, and what is known when one of the two is not seen.
#include "go_host.hpp"

namespace mapaudit::test {
namespace {

class GoSpans : public ::testing::Test {
protected:
    void expect_nobody_inside() {
        EXPECT_EQ(host_.kernel.map("inside").size(), 0u);
        EXPECT_EQ(map_.users().writer, 0u);
        EXPECT_EQ(map_.users().readers, 0u);
    }

    GoHost host_;
    Goroutine first_{1}, second_{2}, third_{3};
    GoMap map_;
};

TEST_F(GoSpans, an_operation_is_counted_at_its_beginning_and_timed_at_its_end) {
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(map_.users().writer, first_.address());
    EXPECT_EQ(host_.calls().calls, 1u);
    host_.end(first_);
    EXPECT_EQ(host_.calls().timed, 1u);
    EXPECT_EQ(host_.ledger().untimed, 0u);
    host_.expect_balance(1);
    expect_nobody_inside();
}

TEST_F(GoSpans, readers_do_not_conflict) {
    host_.begin(first_, map_, MAPAUDIT_OP_LOOKUP);
    host_.begin(second_, map_, MAPAUDIT_OP_LOOKUP);
    EXPECT_EQ(map_.users().readers, 2u);
    host_.end(first_);
    host_.end(second_);
    EXPECT_EQ(host_.calls().conflicts, 0u);
    expect_nobody_inside();
}

TEST_F(GoSpans, two_writers_conflict_and_the_first_one_stays_inside) {
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    host_.begin(second_, map_, MAPAUDIT_OP_ERASE);
    host_.end(second_);  // it never was in the map
    EXPECT_EQ(map_.users().writer, first_.address());
    host_.end(first_);
    const auto conflicts = host_.conflicts();
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_EQ(conflicts[0].kind, static_cast<std::uint32_t>(MAPAUDIT_CONFLICT_WRITE_WRITE));
    EXPECT_EQ(conflicts[0].goid, 2u);
    EXPECT_EQ(conflicts[0].other_goid, 1u);
    EXPECT_EQ(conflicts[0].op, MAPAUDIT_OP_ERASE);
    EXPECT_EQ(host_.calls().conflicts, 1u);
    expect_nobody_inside();
}

TEST_F(GoSpans, a_reader_and_a_writer_conflict_in_either_order) {
    host_.begin(first_, map_, MAPAUDIT_OP_LOOKUP);
    host_.begin(second_, map_, MAPAUDIT_OP_ASSIGN);
    host_.end(first_);
    host_.begin(third_, map_, MAPAUDIT_OP_LOOKUP);
    host_.end(second_);
    host_.end(third_);
    const auto conflicts = host_.conflicts();
    ASSERT_EQ(conflicts.size(), 2u);
    for (const wire_go_conflict& conflict : conflicts)
        EXPECT_EQ(conflict.kind, static_cast<std::uint32_t>(MAPAUDIT_CONFLICT_READ_WRITE));
    EXPECT_EQ(conflicts[0].other_goid, 1u);
    EXPECT_EQ(conflicts[1].other_goid, 2u);
    expect_nobody_inside();
}

TEST_F(GoSpans, an_iteration_says_so_from_either_side) {
    host_.begin(first_, map_, MAPAUDIT_OP_WHOLE);
    host_.begin(second_, map_, MAPAUDIT_OP_ASSIGN);
    host_.begin(third_, map_, MAPAUDIT_OP_WHOLE);
    const auto conflicts = host_.conflicts();
    ASSERT_EQ(conflicts.size(), 2u);
    for (const wire_go_conflict& conflict : conflicts)
        EXPECT_EQ(conflict.kind, static_cast<std::uint32_t>(MAPAUDIT_CONFLICT_ITERATE_WRITE));
}

TEST_F(GoSpans, an_erasure_from_an_empty_map_reads) {
    map_.head.count = 0;
    host_.begin(first_, map_, MAPAUDIT_OP_LOOKUP);
    host_.begin(second_, map_, MAPAUDIT_OP_ERASE);
    EXPECT_EQ(map_.users().readers, 2u);
    EXPECT_EQ(host_.calls().conflicts, 0u);
}

TEST_F(GoSpans, other_maps_do_not_conflict) {
    const GoMap other;
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    host_.begin(second_, other, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(host_.calls().conflicts, 0u);
}

// Whichever atomic operation of the one's entry the other enters before, one of the two sees the other.
TEST_F(GoSpans, one_of_two_that_enter_at_once_sees_the_other) {
    int steps = 0;
    host_.kernel.before_atomic = [&](const volatile void*) { ++steps; };
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    ASSERT_GE(steps, 5);
    for (const auto& [one, two] :
         {std::pair{MAPAUDIT_OP_ASSIGN, MAPAUDIT_OP_ASSIGN}, std::pair{MAPAUDIT_OP_ASSIGN, MAPAUDIT_OP_LOOKUP},
          std::pair{MAPAUDIT_OP_LOOKUP, MAPAUDIT_OP_ASSIGN}})
        for (int at = 1; at <= steps; ++at) {
            GoHost host;
            int step = 0;
            host.kernel.before_atomic = [&](const volatile void*) {
                if (++step != at) return;
                host.kernel.before_atomic = nullptr;
                host.begin(second_, map_, two);
            };
            host.begin(first_, map_, one);
            if (step < at) continue;  // a reader's entry has fewer
            EXPECT_GE(host.calls().conflicts, 1u) << one << ", " << two << " before step " << at;
            EXPECT_EQ(host.ledger().fired, 2u);
        }
}

TEST_F(GoSpans, a_conflict_with_a_reader_that_is_not_known_is_counted) {
    host_.begin(first_, map_, MAPAUDIT_OP_LOOKUP);
    host_.begin(second_, map_, MAPAUDIT_OP_LOOKUP);
    host_.end(second_);  // the latest reader, and out again
    host_.begin(second_, map_, MAPAUDIT_OP_ASSIGN);
    const auto conflicts = host_.conflicts();
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_EQ(conflicts[0].other_goid, 0u);
    EXPECT_EQ(host_.calls().conflicts, 1u);
}

TEST_F(GoSpans, the_latest_reader_is_named_even_when_it_has_just_left) {
    host_.begin(first_, map_, MAPAUDIT_OP_LOOKUP);
    host_.begin(second_, map_, MAPAUDIT_OP_LOOKUP);
    host_.end(second_);
    host_.begin(third_, map_, MAPAUDIT_OP_ASSIGN);
    const auto conflicts = host_.conflicts();
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_EQ(conflicts[0].other_goid, 2u);
}

TEST_F(GoSpans, a_leave_without_an_enter_changes_nothing) {
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    host_.end(second_);
    host_.end(second_, WIRE_GO_PANIC);
    EXPECT_EQ(map_.users().writer, first_.address());
    EXPECT_EQ(host_.calls().timed, 0u);
    EXPECT_EQ(host_.ledger().untimed, 0u);
    EXPECT_EQ(host_.ledger().stepped, 1u);  // a panic is not a RET
}

TEST_F(GoSpans, a_panic_takes_the_goroutine_out) {
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    host_.end(first_, WIRE_GO_PANIC);
    expect_nobody_inside();
    EXPECT_EQ(host_.ledger().untimed, 1u);
    EXPECT_EQ(host_.calls().timed, 0u);
    host_.begin(second_, map_, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(host_.calls().conflicts, 0u);
}

TEST_F(GoSpans, who_enters_again_was_not_seen_to_leave_and_does_not_meet_itself) {
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    host_.begin(first_, map_, MAPAUDIT_OP_LOOKUP);
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(host_.calls().conflicts, 0u);
    EXPECT_EQ(host_.ledger().untimed, 2u);
    host_.end(first_);
    EXPECT_EQ(host_.calls().timed, 1u);
    host_.expect_balance(3);
    expect_nobody_inside();
}

TEST_F(GoSpans, a_step_of_an_iteration_reads_and_is_not_counted) {
    host_.begin(first_, map_, MAPAUDIT_OP_WHOLE, WIRE_GO_STEP);
    EXPECT_EQ(map_.users().readers, 1u);
    host_.end(first_);  // an operation's RET is not a step's
    EXPECT_EQ(map_.users().readers, 1u);
    host_.begin(second_, map_, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(host_.calls().conflicts, 1u);
    host_.end(first_, WIRE_GO_STEP_RETURN);
    host_.end(second_);
    host_.expect_balance(1);
    expect_nobody_inside();
}

TEST_F(GoSpans, a_step_inside_an_iteration_is_a_part_of_it) {
    host_.begin(first_, map_, MAPAUDIT_OP_WHOLE);
    host_.begin(first_, map_, MAPAUDIT_OP_WHOLE, WIRE_GO_STEP);
    EXPECT_EQ(map_.users().readers, 1u);
    host_.end(first_, WIRE_GO_STEP_RETURN);
    EXPECT_EQ(map_.users().readers, 1u);
    host_.end(first_);
    EXPECT_EQ(host_.calls().timed, 1u);
    EXPECT_EQ(host_.ledger().untimed, 0u);
    expect_nobody_inside();
}

TEST_F(GoSpans, a_shut_window_sees_nobody_come_and_everybody_go) {
    host_.begin(first_, map_, MAPAUDIT_OP_ASSIGN);
    go_open_window(0);
    host_.begin(second_, map_, MAPAUDIT_OP_ASSIGN);
    host_.end(first_);
    host_.expect_balance(1);
    EXPECT_EQ(host_.calls().conflicts, 0u);
    expect_nobody_inside();
}

TEST(GoSpanTables, a_goroutine_that_finds_no_place_is_counted_and_not_timed) {
    GoHost host({.inside = 1});
    const Goroutine first(1), second(2);
    const GoMap map;
    host.begin(first, map, MAPAUDIT_OP_ASSIGN);
    host.begin(second, map, MAPAUDIT_OP_ASSIGN);
    host.expect_balance(2);
    EXPECT_EQ(host.calls().calls, 2u);
    EXPECT_EQ(host.calls().conflicts, 0u);
    EXPECT_EQ(host.ledger().untimed, 1u);
    host.end(second);
    EXPECT_EQ(map.users().writer, first.address());
    host.end(first);
    EXPECT_EQ(host.calls().timed, 1u);
}

TEST(GoSpanTables, a_map_that_finds_no_place_is_timed_and_not_watched) {
    GoHost host({.used = 1});
    const Goroutine first(1), second(2), third(3);
    const GoMap watched, unwatched;
    host.begin(first, watched, MAPAUDIT_OP_ASSIGN);
    host.begin(second, unwatched, MAPAUDIT_OP_ASSIGN);
    host.begin(third, unwatched, MAPAUDIT_OP_ASSIGN);
    for (const Goroutine* goroutine : {&first, &second, &third}) host.end(*goroutine);
    host.expect_balance(3);
    EXPECT_EQ(host.calls().timed, 3u);
    EXPECT_EQ(host.calls().conflicts, 0u);
}

TEST(GoSpanTables, conflicts_beyond_the_first_ones_or_the_ring_are_counted_and_not_sent) {
    GoHost host;
    const Goroutine first(1), second(2);
    const GoMap map, other;
    host.begin(first, map, MAPAUDIT_OP_ASSIGN);
    for (unsigned i = 0; i < WIRE_GO_MOST_TOLD + 3; ++i) {
        host.begin(second, map, MAPAUDIT_OP_ASSIGN);
        host.end(second);
    }
    EXPECT_EQ(host.conflicts().size(), WIRE_GO_MOST_TOLD);
    EXPECT_EQ(host.ledger().untold, 3u);
    host.end(first);
    host.begin(first, other, MAPAUDIT_OP_ASSIGN);
    host.kernel.ring("conflicts").refuses = true;
    host.begin(second, other, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(host.ledger().untold, 4u);
    EXPECT_EQ(host.calls().conflicts, WIRE_GO_MOST_TOLD + 4);
}

}  // namespace
}  // namespace mapaudit::test
