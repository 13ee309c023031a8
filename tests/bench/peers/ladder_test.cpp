// SPDX-License-Identifier: Apache-2.0
#include "peers/ladder.hpp"

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

Rung rung_of(const char* variant, unsigned events_per_op = 1) {
    Rung rung;
    rung.row.map = "mutex_map";
    rung.row.mix = "lookup";
    rung.row.variant = variant;
    rung.events_per_op = events_per_op;
    return rung;
}

TEST(Rung, RefusesAProbeThatDidNotFire) {
    Rung rung = rung_of(perf_rung);
    EXPECT_THROW(rung.add(round_of(6, 1000, 0)), BenchError);
    EXPECT_THROW(rung.add(round_of(6, 1000, 0, 1000)), BenchError);  // all lost
    EXPECT_TRUE(rung.row.ns_per_op.empty());
}

TEST(Rung, RefusesWhatIsFarFromDone) {
    Rung rung = rung_of(lttng_rung, 2);
    EXPECT_THROW(rung.add(round_of(160, 1000, 1000)), BenchError);  // one of the two tracepoints
    EXPECT_THROW(rung.add(round_of(160, 1000, 1500, 100)), BenchError);
    EXPECT_THROW(rung.add(round_of(160, 1000, 2500)), BenchError);
    EXPECT_TRUE(rung.row.ns_per_op.empty());
}

TEST(Rung, LossesThatTheToolNamesAreAccountedForButNotExact) {
    Rung rung = rung_of(lttng_rung, 2);
    rung.add(round_of(160, 1000, 2000));
    EXPECT_TRUE(rung.exact());
    rung.add(round_of(120, 1000, 500, 1500));
    EXPECT_FALSE(rung.exact());
    EXPECT_EQ(rung.row.seen, 2500u);
    EXPECT_EQ(rung.lost, 1500u);
    EXPECT_EQ(rung.events_done(), 4000u);
}

TEST(Rung, TooManyAndTooFewDoNotMakeUpForEachOther) {
    Rung rung = rung_of(perf_rung);
    rung.add(round_of(500, 1000, 1001));
    rung.add(round_of(500, 1000, 999));
    EXPECT_EQ(rung.row.seen, rung.events_done());
    EXPECT_FALSE(rung.exact());
}

Ladder measured_ladder() {
    Ladder ladder;
    ladder.machine = "a machine";
    ladder.clock_pair_ns = 16;
    const auto add = [&ladder](const char* variant, double ns, std::optional<std::uint64_t> seen, unsigned per_op = 1) {
        ladder.rungs.push_back(rung_of(variant, per_op));
        ladder.rungs.back().add(round_of(ns, 1000, seen));
    };
    add(unattached_variant, 6, {});
    add(full_variant, 26, 1000);
    add(sampled_variant, 8.5, 1000);
    add(hist_rung, 906, 1000);
    add(lttng_rung, 85.9, 2000, 2);
    return ladder;
}

std::string goals_of(const Ladder& ladder) {
    std::ostringstream out;
    print_ladder_goals(out, ladder);
    return out.str();
}

TEST(Ladder, Goals) {
    EXPECT_EQ(goals_of(measured_ladder()), R"(
goals
  met    mutex_map lookup, level full over unattached: 20 ns (goal: at most 20 ns)
  MISSED mutex_map lookup, level sampled over unattached: 2.5 ns (goal: at most 2 ns)
  met    mutex_map lookup, level full cheaper than bpftrace, entry to return: 45.0 times (goal: at least 45)
  MISSED mutex_map lookup, level full cheaper than LTTng-UST: 4.0 times (goal: at least 4)
  met    mutex_map lookup, operations lost or miscounted by mapaudit: 0 (goal: at most 0)
)");
}

TEST(Ladder, GoalOfAPeerThatWasLeftOutIsNeitherMetNorMissed) {
    Ladder ladder = measured_ladder();
    std::erase_if(ladder.rungs, [](const Rung& rung) { return rung.row.variant == lttng_rung; });
    EXPECT_THAT(goals_of(ladder), HasSubstr("  -      mutex_map lookup, LTTng-UST: not measured here\n"));
}

TEST(Ladder, OperationsThatMapauditMissedAreAMissedGoal) {
    Ladder ladder = measured_ladder();
    for (Rung& rung : ladder.rungs)
        if (rung.row.variant == full_variant) rung.add(round_of(26, 1000, 990, 3));
    // Of ten that were not seen it names three, which do not count twice.
    EXPECT_THAT(goals_of(ladder), HasSubstr("MISSED mutex_map lookup, operations lost or miscounted by mapaudit: 10 "));
}

TEST(Ladder, TableAndCsv) {
    Ladder ladder = measured_ladder();
    ladder.left_out = {"mutex_map lookup, perf record: no tracefs"};
    std::ostringstream table, csv;
    print_ladder(table, ladder);
    EXPECT_THAT(table.str(), HasSubstr("machine: a machine\ntwo clock reads: 16.0 ns\n"));
    EXPECT_THAT(table.str(), HasSubstr("left out: mutex_map lookup, perf record: no tracefs\n"));
    write_ladder_csv(csv, ladder);
    EXPECT_THAT(csv.str(), HasSubstr("mutex_map,lookup,\"LTTng-UST\",1,85.900,85.900,85.900,79.900,14.3167,2,2000,2000,"
                                     "0,yes,12.50,16.00,\"a machine\"\n"));
    EXPECT_THAT(csv.str(), HasSubstr("\"(b) unattached\",1,6.000,6.000,6.000,0.000,1.0000,1,1000,,,,12.50,"));
    EXPECT_THAT(csv.str(), Not(HasSubstr("perf")));
}

}  // namespace
}  // namespace mapaudit::bench
