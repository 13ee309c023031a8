// SPDX-License-Identifier: Apache-2.0
#include "peers/comparison.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "variants.hpp"

namespace mapaudit::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

Measured round_of(double ns, std::uint64_t ops, std::optional<std::uint64_t> seen, std::uint64_t lost = 0) {
    return {ns, ops, {seen, lost}, 0.125};
}

BenchCase case_of(const char* variant, unsigned events_per_op = 1) {
    BenchCase bench_case;
    bench_case.row.map = "mutex_map";
    bench_case.row.mix = "lookup";
    bench_case.row.variant = variant;
    bench_case.events_per_op = events_per_op;
    return bench_case;
}

TEST(BenchCase, RefusesAProbeThatDidNotFire) {
    BenchCase bench_case = case_of(perf_case);
    EXPECT_THROW(bench_case.add(round_of(6, 1000, 0)), BenchError);
    EXPECT_THROW(bench_case.add(round_of(6, 1000, 0, 1000)), BenchError);  // all lost
    EXPECT_TRUE(bench_case.row.ns_per_op.empty());
}

TEST(BenchCase, RefusesWhatIsFarFromDone) {
    BenchCase bench_case = case_of(lttng_case, 2);
    EXPECT_THROW(bench_case.add(round_of(160, 1000, 1000)), BenchError);  // one of the two tracepoints
    EXPECT_THROW(bench_case.add(round_of(160, 1000, 1500, 100)), BenchError);
    EXPECT_THROW(bench_case.add(round_of(160, 1000, 2500)), BenchError);
    EXPECT_TRUE(bench_case.row.ns_per_op.empty());
}

TEST(BenchCase, LossesThatTheToolNamesAreAccountedForButNotExact) {
    BenchCase bench_case = case_of(lttng_case, 2);
    bench_case.add(round_of(160, 1000, 2000));
    EXPECT_TRUE(bench_case.exact());
    bench_case.add(round_of(120, 1000, 500, 1500));
    EXPECT_FALSE(bench_case.exact());
    EXPECT_EQ(bench_case.row.seen, 2500u);
    EXPECT_EQ(bench_case.lost, 1500u);
    EXPECT_EQ(bench_case.events_done(), 4000u);
}

TEST(BenchCase, TooManyAndTooFewDoNotMakeUpForEachOther) {
    BenchCase bench_case = case_of(perf_case);
    bench_case.add(round_of(500, 1000, 1001));
    bench_case.add(round_of(500, 1000, 999));
    EXPECT_EQ(bench_case.row.seen, bench_case.events_done());
    EXPECT_FALSE(bench_case.exact());
}

Comparison measured_comparison() {
    Comparison comparison;
    comparison.machine = "a machine";
    comparison.clock_pair_ns = 16;
    const auto add = [&comparison](const char* variant, double ns, std::optional<std::uint64_t> seen,
                                   unsigned per_op = 1) {
        comparison.cases.push_back(case_of(variant, per_op));
        comparison.cases.back().add(round_of(ns, 1000, seen));
    };
    add(unattached_variant, 6, {});
    add(full_variant, 26, 1000);
    add(sampled_variant, 8.5, 1000);
    add(hist_case, 906, 1000);
    add(lttng_case, 85.9, 2000, 2);
    return comparison;
}

std::string goals_of(const Comparison& comparison) {
    std::ostringstream out;
    print_comparison_goals(out, comparison);
    return out.str();
}

TEST(Comparison, Goals) {
    EXPECT_EQ(goals_of(measured_comparison()), R"(
goals
  met    mutex_map lookup, level full over unattached: 20 ns (goal: at most 20 ns)
  MISSED mutex_map lookup, level sampled over unattached: 2.5 ns (goal: at most 2 ns)
  met    mutex_map lookup, level full cheaper than bpftrace, entry to return: 45.0 times (goal: at least 45)
  MISSED mutex_map lookup, level full cheaper than LTTng-UST: 4.0 times (goal: at least 4)
  met    mutex_map lookup, operations lost or miscounted by mapaudit: 0 (goal: at most 0)
)");
}

TEST(Comparison, GoalOfAPeerThatWasLeftOutIsNeitherMetNorMissed) {
    Comparison comparison = measured_comparison();
    std::erase_if(comparison.cases, [](const BenchCase& bench_case) { return bench_case.row.variant == lttng_case; });
    EXPECT_THAT(goals_of(comparison), HasSubstr("  -      mutex_map lookup, LTTng-UST: not measured here\n"));
}

TEST(Comparison, OperationsThatMapauditMissedAreAMissedGoal) {
    Comparison comparison = measured_comparison();
    for (BenchCase& bench_case : comparison.cases)
        if (bench_case.row.variant == full_variant) bench_case.add(round_of(26, 1000, 990, 3));
    // Ten were not seen; it names three of them, which do not count twice.
    EXPECT_THAT(goals_of(comparison),
                HasSubstr("MISSED mutex_map lookup, operations lost or miscounted by mapaudit: 10 "));
}

TEST(Comparison, TableAndCsv) {
    Comparison comparison = measured_comparison();
    comparison.left_out = {"mutex_map lookup, perf record: no tracefs"};
    std::ostringstream table, csv;
    print_comparison(table, comparison);
    EXPECT_THAT(table.str(), HasSubstr("machine: a machine\ntwo clock reads: 16.0 ns\n"));
    EXPECT_THAT(table.str(), HasSubstr("left out: mutex_map lookup, perf record: no tracefs\n"));
    write_comparison_csv(csv, comparison);
    EXPECT_THAT(csv.str(), HasSubstr("mutex_map,lookup,\"LTTng-UST\",1,85.900,85.900,85.900,79.900,14.3167,2,2000,2000,"
                                     "0,yes,12.50,16.00,\"a machine\"\n"));
    EXPECT_THAT(csv.str(), HasSubstr("\"(b) unattached\",1,6.000,6.000,6.000,0.000,1.0000,1,1000,,,,12.50,"));
    EXPECT_THAT(csv.str(), Not(HasSubstr("perf")));
}

}  // namespace
}  // namespace mapaudit::bench
