// SPDX-License-Identifier: Apache-2.0
#include "model/evidence.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "model/advice.hpp"

namespace mapaudit::model {
namespace {

constexpr std::array<std::string_view, 2> library{"mapaudit::", "mapaudit_probe_"};
constexpr std::array<std::string_view, 1> callers{"mapaudit::workload::"}, between{"std::"};
constexpr SourceTraits source{.name = "usdt", .library = library, .callers = callers, .between = between};

constexpr std::array<std::string_view, 1> go_library{"runtime."};
constexpr SourceTraits go_like{.name = "go", .growth_speaks_alone = true, .library = go_library};

Frame frame(const char* function, const char* file = "", std::uint32_t line = 0) {
    Frame f;
    f.function = function;
    f.file = file;
    f.line = line;
    return f;
}
Stack stack_of(std::initializer_list<const char*> functions) {
    std::vector<Frame> frames;
    for (const char* function : functions) frames.push_back(frame(function));
    return {std::move(frames), ""};
}

TEST(Stacks, copies_share_their_frames) {
    const Stack stack = stack_of({"mapaudit::detail::table_map<int>::assign(int)", "main"});
    Evidence row;
    row.stack = row.other_stack = stack;
    const std::vector<Evidence> rows(1000, row);
    for (const Evidence& copy : rows) EXPECT_EQ(&copy.other_stack.frames[1], &stack.frames[1]);
    EXPECT_EQ(rows.back().stack, stack_of({"mapaudit::detail::table_map<int>::assign(int)", "main"}));
    EXPECT_NE(rows.back().stack, stack_of({"main"}));
    EXPECT_TRUE(Stack().frames.empty());
}

TEST(Stacks, the_librarys_own_frames_come_first) {
    const Stack stack =
        stack_of({"mapaudit_probe_contended", "void mapaudit::detail::tell<int>(int)", "std::swap<int>(int)",
                  "mapaudit::detail::table_map<int>::assign(int)", "handle(mapaudit::go_map<int>&)", "main"});
    EXPECT_EQ(caller_of(stack, source)->function, "handle(mapaudit::go_map<int>&)");
    EXPECT_EQ(first_telling_frame(stack, source), 3u) << "the map's own operation is kept";
}

TEST(Stacks, a_lock_guard_is_no_caller) {
    const Stack guarded = stack_of({"mapaudit_probe_released", "mapaudit::audited_lock<std::mutex>::unlock()",
                                    "std::unique_lock<mapaudit::audited_lock<std::mutex> >::unlock()",
                                    "std::unique_lock<mapaudit::audited_lock<std::mutex> >::~unique_lock()",
                                    "expire_all(table&)", "std::thread::_State_impl<int>::_M_run()"});
    EXPECT_EQ(caller_of(guarded, source)->function, "expire_all(table&)");
    EXPECT_EQ(first_telling_frame(guarded, source), 1u) << "whole stacks show the guard";
    const Stack nobody = stack_of({"mapaudit::detail::x()", "std::thread::_State_impl<int>::_M_run()"});
    EXPECT_EQ(caller_of(nobody, source)->function, "std::thread::_State_impl<int>::_M_run()") << "better than nothing";
}

TEST(Stacks, without_library_frames_everything_tells) {
    EXPECT_EQ(first_telling_frame(stack_of({"f", "main"}), source), 0u);
    EXPECT_EQ(caller_of(stack_of({"std::thread::run", "main"}), source)->function, "std::thread::run");
    EXPECT_EQ(caller_of(stack_of({}), source), nullptr);
    EXPECT_EQ(caller_of(stack_of({"mapaudit::detail::x()"}), source), nullptr);
    EXPECT_EQ(caller_of(stack_of({"mapaudit::workload::drive()"}), source)->function, "mapaudit::workload::drive()");
}

Evidence wait(std::uint64_t count, std::uint64_t total_ns, std::uint32_t owner, const Stack& stack) {
    Evidence row;
    row.map = MapDescription{.id = {1, 0, 1}, .source = &source, .name = "m", .kind = "mutex_map"};
    row.other_tid = owner;
    row.count = count;
    row.total_ns = total_ns;
    row.max_ns = total_ns / count;
    row.first_ns = 100 - count;
    row.last_ns = 100 + count;
    row.stack = stack;
    return row;
}

TEST(EvidenceRows, one_stack_under_two_names_is_one_row) {
    const Stack a = stack_of({"f", "main"}), b = stack_of({"g", "main"});
    const auto rows = merged({wait(2, 20, 7, a), wait(1, 500, 7, b), wait(3, 60, 7, a), wait(1, 10, 8, a)});
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].total_ns, 500u) << "most time first";
    EXPECT_EQ(rows[1].count, 5u);
    EXPECT_EQ(rows[1].total_ns, 80u);
    EXPECT_EQ(rows[1].max_ns, 20u);
    EXPECT_EQ(rows[1].first_ns, 97u);
    EXPECT_EQ(rows[1].last_ns, 103u);
    EXPECT_EQ(rows[2].other_tid, 8u);
}

// One map whose lookups and assigns took `mean_ns` in the mean, `waited` of the time in all spent waiting.
Report report_of(const char* kind, std::uint64_t lookups, std::uint64_t assigns, double mean_ns, double waited,
                 std::uint64_t waits) {
    Report report;
    for (const auto& [op, calls] : {std::pair{Op::lookup, lookups}, std::pair{Op::assign, assigns}}) {
        Row row;
        row.map = MapDescription{.id = {1, 0, 1}, .source = &source, .name = "m", .kind = kind};
        row.op = op;
        row.calls = row.timed = calls;
        row.mean_ns = mean_ns;
        row.p99_ns = 10 * mean_ns;
        row.p999_ns = 20 * mean_ns;
        row.waits = op == Op::assign ? waits : 0;
        row.wait_total_ns = op == Op::assign ? waited * mean_ns * static_cast<double>(lookups + assigns) : 0;
        row.size = 1000;
        report.rows.push_back(row);
    }
    return report;
}

TEST(Advice, none_without_evidence) {
    EXPECT_TRUE(advise(Report()).empty());
    EXPECT_TRUE(advise(report_of("mutex_map", 500, 500, 100, 0.5, 5)).empty()) << "too few waits";
    EXPECT_TRUE(advise(report_of("mutex_map", 50'000, 50'000, 100, 0.05, 5'000)).empty()) << "too little time";
    EXPECT_TRUE(advise(report_of("sharded_map", 50'000, 50'000, 100, 0.5, 5'000)).empty()) << "it is sharded";
}

TEST(Advice, one_lock_is_to_be_sharded_or_shared) {
    const auto shard = advise(report_of("mutex_map", 50'000, 50'000, 100, 0.4, 5'000));
    ASSERT_EQ(shard.size(), 1u);
    EXPECT_EQ(shard[0].kind, AdviceKind::shard);
    EXPECT_DOUBLE_EQ(shard[0].share, 0.4);
    EXPECT_EQ(shard[0].events, 5'000u);
    const auto share = advise(report_of("mutex_map", 95'000, 5'000, 100, 0.4, 5'000));
    ASSERT_EQ(share.size(), 1u);
    EXPECT_EQ(share[0].kind, AdviceKind::share);
    EXPECT_DOUBLE_EQ(share[0].reads, 0.95);
    EXPECT_EQ(advise(report_of("rwlock_map", 95'000, 5'000, 100, 0.4, 5'000))[0].kind, AdviceKind::shard);
}

TEST(Advice, conflicts_come_first) {
    Report report = report_of("go_map", 50'000, 50'000, 100, 0.4, 5'000);
    report.rows[1].conflicts = 3;
    const auto advice = advise(report);
    ASSERT_FALSE(advice.empty());
    EXPECT_EQ(advice[0].kind, AdviceKind::guard);
    EXPECT_EQ(advice[0].events, 3u);
    EXPECT_EQ(advice[0].calls, 100'000u);
}

Evidence hold(std::uint64_t count, std::uint64_t total_ns, const Stack& stack) {
    Evidence row = wait(count, total_ns, 0, stack);
    row.kind = EvidenceKind::owning;
    row.detail = MAPAUDIT_OP_ASSIGN;
    row.tid = 7;
    return row;
}

TEST(Advice, a_long_hold_is_named_by_its_code) {
    Report report = report_of("mutex_map", 50'000, 50'000, 100'000, 0.9, 5'000);
    Evidence waited = wait(40, 200'000'000, 7, stack_of({"request", "main"}));
    waited.other_stack = stack_of({"mapaudit::detail::x()", "slow_update(int)", "main"});
    report.evidence = {waited, hold(40, 80'000'000, waited.other_stack)};
    const auto advice = advise(report);
    ASSERT_EQ(advice.size(), 1u);
    EXPECT_EQ(advice[0].kind, AdviceKind::release);
    EXPECT_EQ(advice[0].where.function, "slow_update(int)");
    EXPECT_EQ(advice[0].events, 40u);
    EXPECT_DOUBLE_EQ(advice[0].share, 1);
    EXPECT_DOUBLE_EQ(advice[0].longest_ns, 2'000'000);
}

TEST(Advice, a_holder_that_lost_its_cpu_is_not_to_blame) {
    Report report = report_of("mutex_map", 50'000, 50'000, 100, 0.9, 5'000);  // its P99.9 is 2 µs
    Evidence waited = wait(40, 200'000'000, 7, stack_of({"request", "main"}));
    waited.other_stack = stack_of({"update(int)", "main"});
    report.evidence = {waited, hold(40, 80'000'000, waited.other_stack)};
    const auto advice = advise(report);
    ASSERT_EQ(advice.size(), 1u);
    EXPECT_EQ(advice[0].kind, AdviceKind::shard);
}

TEST(Advice, too_many_threads_for_the_cpus) {
    Report report = report_of("sharded_map", 50'000, 50'000, 100'000, 0.9, 5'000);
    Evidence waited = wait(40, 200'000'000, 7, stack_of({"request", "main"}));
    waited.other_stack = stack_of({"update(int)", "main"});
    report.evidence = {waited, hold(40, 80'000'000, waited.other_stack)};
    MapBlame blame;
    blame.map = report.rows[0].map;
    blame.ops[MAPAUDIT_OP_ASSIGN].lock_preemptions = 30;
    blame.ops[MAPAUDIT_OP_LOOKUP].lock_preemptions = 10;
    blame.ops[MAPAUDIT_OP_ASSIGN].lock_preempted_ns = 60'000'000;
    report.cpu.maps = {blame};
    const auto advice = advise(report);
    ASSERT_EQ(advice.size(), 1u) << "the code that held it is not to blame";
    EXPECT_EQ(advice[0].kind, AdviceKind::relieve);
    EXPECT_EQ(advice[0].events, 40u);
    EXPECT_DOUBLE_EQ(advice[0].preempted_ns, 60e6);
    EXPECT_DOUBLE_EQ(advice[0].share, 0.75);
    report.cpu.maps[0].ops[MAPAUDIT_OP_ASSIGN].lock_preempted_ns = 20'000'000;
    ASSERT_EQ(advise(report).size(), 1u);
    EXPECT_EQ(advise(report)[0].kind, AdviceKind::release);
}

TEST(Advice, reserve_says_what_growth_cost) {
    Report report = report_of("go_map", 0, 100'000, 1'000, 0, 0);
    Row& assign = report.rows[1];
    assign.growth = {10'000, 50'000'000, 1'000, 900, 800.0};
    Row grow = assign;
    grow.op = Op::grow;
    grow.grows = 12;
    grow.growth = {};
    report.rows.push_back(grow);
    const auto advice = advise(report);
    ASSERT_EQ(advice.size(), 1u);
    EXPECT_EQ(advice[0].kind, AdviceKind::reserve);
    EXPECT_EQ(advice[0].elements, 1'000u);
    EXPECT_EQ(advice[0].events, 12u);
    // The others took 50 ms / 90,000 each; 10,000 of those are not saved.
    EXPECT_NEAR(advice[0].saved_ns, 50e6 - 10'000 * (50e6 / 90'000), 1);
    EXPECT_NEAR(advice[0].share, advice[0].saved_ns / 100e6, 1e-9);
    EXPECT_DOUBLE_EQ(advice[0].p99_without_ns, 800);
    report.rows.back().grows = 2;
    EXPECT_TRUE(advise(report).empty()) << "two growths are nothing to speak of";
}

Row go_growth(std::uint64_t grows) {
    Row row;
    row.map = MapDescription{
        .id = {1, 0, 1}, .source = &go_like, .name = "map[string]int main.go:7 main.fill", .kind = "go classic"};
    row.op = Op::grow;
    row.grows = row.calls = grows;
    row.size = 5'000;
    return row;
}

TEST(Advice, a_go_map_whose_operations_are_not_watched_is_made_larger) {
    Report report;
    report.rows = {go_growth(10)};
    Evidence seldom;
    seldom.kind = EvidenceKind::growing;
    seldom.map = report.rows[0].map;
    seldom.count = 2;
    seldom.stack = stack_of({"main.once"});
    Evidence often = seldom;
    often.count = 8;
    often.stack = stack_of({"runtime.mapassign_faststr", "main.(*table).fill", "main.main"});
    report.evidence = {seldom, often};
    const auto advice = advise(report);
    ASSERT_EQ(advice.size(), 1u);
    EXPECT_EQ(advice[0].kind, AdviceKind::reserve);
    EXPECT_EQ(advice[0].elements, 5'000u);
    EXPECT_EQ(advice[0].events, 10u);
    EXPECT_EQ(advice[0].saved_ns, 0);
    EXPECT_EQ(advice[0].where.function, "main.(*table).fill");
    report.rows = {go_growth(2)};
    EXPECT_TRUE(advise(report).empty()) << "two growths are nothing to speak of";
}

TEST(Advice, a_conflict_of_a_go_map_stands_with_its_growths) {
    Report report;
    report.rows = {go_growth(0)};
    report.rows[0].conflicts = 1;
    const auto advice = advise(report);
    ASSERT_EQ(advice.size(), 1u);
    EXPECT_EQ(advice[0].kind, AdviceKind::guard);
    EXPECT_EQ(advice[0].events, 1u);
    EXPECT_EQ(advice[0].calls, 0u);
}

}  // namespace
}  // namespace mapaudit::model
