// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "field/claim_table.hpp"
#include "subject.hpp"

namespace mapaudit::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

test::CsvRow row(const std::string& scope, double elapsed_s, const std::string& op, double calls_per_s) {
    return {{"scope", scope},
            {"cpu", "all"},
            {"tid", "all"},
            {"op", op},
            {"elapsed_s", std::to_string(elapsed_s)},
            {"calls_per_s", std::to_string(calls_per_s)},
            {"p50_ns", "40"},
            {"p99_ns", "400"},
            {"wait_total_ns", "5000000"},
            {"weight", "100"}};
}

TEST(FieldObservation, RatesAreTheInnerIntervals) {
    std::vector<test::CsvRow> rows;
    const double rates[] = {1, 1000, 3000, 2000, 2};
    for (int i = 0; i < 5; ++i) {
        rows.push_back(row("interval", 0.25 * (i + 1), "lookup", rates[i]));
        rows.push_back(row("interval", 0.25 * (i + 1), "assign", 10));
        rows.push_back(row("interval", 0.25 * (i + 1), "grow", 1e6));
    }
    rows.push_back(row("total", 1.25, "lookup", 7));
    const Observation observation = read_observation(rows);
    EXPECT_DOUBLE_EQ(observation.ops_per_s, 2010);
    EXPECT_DOUBLE_EQ(observation.lookup_p99_ns, 400);
    EXPECT_DOUBLE_EQ(observation.waiting, 0.004);  // 5 ms in 1.25 s
    EXPECT_DOUBLE_EQ(observation.goodness(Figure::lookup_p50), 25e6);
}

TEST(FieldObservation, RefusesWhatSawNothing) {
    EXPECT_THROW(read_observation({row("interval", 0.25, "lookup", 5), row("interval", 0.5, "lookup", 5)}), BenchError);
    EXPECT_THROW(read_observation({row("interval", 0.25, "lookup", 5), row("interval", 0.5, "lookup", 0),
                                   row("interval", 0.75, "lookup", 5)}),
                 BenchError);
    EXPECT_THROW(Observation{}.goodness(Figure::lookup_p99), BenchError);
}

ClaimResult result_of(double times, double better, double worse) {
    ClaimResult result{
        {"sharded_map", "rwlock_map", Figure::throughput, times, {.threads = 16, .distribution = "uniform"}},
        {},
        {},
        {}};
    result.comparison.better.assign(3, {better, 40, 400, 0});
    result.comparison.worse.assign(3, {worse, 40, 400, 1.5});
    return result;
}

TEST(FieldVerdict, RestsOnWhatWasSeen) {
    EXPECT_EQ(result_of(3.1, 3e6, 1e6).verdict(), "as in the article");
    EXPECT_EQ(result_of(3.1, 2e6, 1e6).verdict(), "less than in the article");
    EXPECT_EQ(result_of(3.1, 1e6, 1e6).verdict(), "not seen here");
    EXPECT_EQ(result_of(0.56, 6e5, 1e6).verdict(), "as in the article");
}

TEST(FieldTable, SaysWhatWasSeenInstead) {
    FieldResults results{"a machine", 2, {result_of(3.1, 4e6, 1e6)}, turning_point(), {}};
    for (const unsigned threads : {1u, 64u})
        results.by_threads.push_back({threads, result_of(1, threads == 1 ? 2e6 : 5e5, 1e6).comparison});
    std::ostringstream table;
    print_field(table, results);
    EXPECT_THAT(table.str(), HasSubstr("seen 4.00 times (4.00 .. 4.00), article 3.10: as in the article"));
    EXPECT_THAT(table.str(), Not(HasSubstr("waited for its lock")));
    EXPECT_THAT(table.str(), HasSubstr("no lead from 64 threads on; article: past 128"));

    results.claims = {result_of(3.1, 1e6, 1e6)};
    results.claims[0].waits = Observation{1e6, 40, 400, 1.5};
    results.claims[0].one_a_cpu = result_of(1, 5e6, 1e6).comparison;
    std::ostringstream other;
    print_field(other, results);
    EXPECT_THAT(other.str(), HasSubstr("1.50 of rwlock_map's 16 threads waited for its lock at a time; 2 CPUs"));

    EXPECT_THAT(other.str(), HasSubstr("instead, with 2 threads: 5.00 times"));

    std::ostringstream csv;
    write_field_csv(csv, results);
    const auto rows = test::parse_csv(csv.str());
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].at("article"), "3.10");
    EXPECT_EQ(rows[2].at("threads"), "64");
}

TEST(FieldClaims, AllNameTwoKindsAndAMix) {
    for (const Claim& claim : claims()) {
        EXPECT_NE(claim.better, claim.worse);
        EXPECT_GT(claim.times, 0);
        EXPECT_GE(claim.mix.threads, 1u);
    }
}

}  // namespace
}  // namespace mapaudit::bench
