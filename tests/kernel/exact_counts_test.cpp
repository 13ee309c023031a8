// SPDX-License-Identifier: Apache-2.0
//
// Every count in the total rows equals the driver's own, per map and operation, for any kind and number of threads.
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

constexpr const char* ops = "1000003";  // prime: no batch size divides it

void expect_exact(const AuditedRun& run) {
    ASSERT_FALSE(run.driver.is_null());
    EXPECT_EQ(audited_counts(run.csv), driver_counts(run.driver));
    const LedgerLine ledger = ledger_of(run.auditor);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_EQ(ledger.lost, 0u);
}

// Every kind that the driver knows; a new one is tested from the day that it is listed.
std::vector<std::string> kinds() {
    const Finished listed = run({MAPAUDIT_WORKLOAD, "--list"});
    std::vector<std::string> names;
    std::istringstream lines(listed.out);
    for (std::string name; std::getline(lines, name);) names.push_back(name);
    return names;
}

TEST(ExactCountsOf, KindsThatTheDriverLists) {
    const std::vector<std::string> names = kinds();
    EXPECT_FALSE(names.empty()) << "nothing would be tested";
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

class ExactCounts : public testing::TestWithParam<std::tuple<std::string, const char*>> {};

TEST_P(ExactCounts, TotalsEqualTheDrivers) {
    const auto [kind, threads] = GetParam();
    for (const char* level : {"auto", "full"}) {
        SCOPED_TRACE(level);
        const AuditedRun run = run_audited(
            {"--map", kind, "--threads", threads, "--ops", ops, "--erase-ratio", "0.05", "--read-ratio", "0.7"},
            {"--level", level});
        expect_exact(run);
        if (run.driver.is_null()) return;
        const auto& total = run.driver.at("ops");
        EXPECT_EQ(total.at("assign").get<long>() + total.at("lookup").get<long>() + total.at("erase").get<long>(),
                  1000003);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ExactCounts,
                         testing::Combine(testing::ValuesIn(kinds()), testing::Values("1", "2", "7", "64")),
                         [](const auto& test) {
                             return std::get<0>(test.param) + "_" + std::get<1>(test.param) + "_threads";
                         });

TEST(ExactCountsOf, ThreeHundredMaps) {
    expect_exact(
        run_audited({"--map", "mutex_map", "--threads", "7", "--maps", "300", "--ops", ops, "--erase-ratio", "0.05"}));
}

TEST(ExactCountsOf, ThreadsThatComeAndGo) {
    const AuditedRun run =
        run_audited({"--map", "sharded_map", "--threads", "7", "--ops", ops, "--churn", "997"}, {"--level", "full"});
    expect_exact(run);
}

TEST(ExactCountsOf, TheSampledLevel) {
    const AuditedRun run =
        run_audited({"--map", "rwlock_map", "--threads", "7", "--maps", "5", "--ops", ops, "--erase-ratio", "0.05"},
                    {"--level", "sampled"});
    expect_exact(run);
    int weighed = 0;
    for (const CsvRow& row : rows_of(run.csv, "total")) {
        if (row.at("op") != "lookup") continue;  // some 180,000 a map: 1,400 of them timed, give or take 40
        EXPECT_GT(std::stod(row.at("weight")), 105.0) << row.at("map_name");  // one in 128 on average
        EXPECT_LT(std::stod(row.at("weight")), 160.0) << row.at("map_name");
        ++weighed;
    }
    EXPECT_EQ(weighed, 5);
}

TEST(ExactCountsOf, TheEventsLevel) {
    const AuditedRun run =
        run_audited({"--map", "mutex_map", "--threads", "2", "--ops", ops, "--read-ratio", "0.1", "--keys", "100000"},
                    {"--level", "events"});
    ASSERT_FALSE(run.driver.is_null());
    CallCounts grows = driver_counts(run.driver);
    std::erase_if(grows, [](const auto& entry) { return entry.first.second != "grow"; });
    ASSERT_FALSE(grows.empty());
    EXPECT_EQ(audited_counts(run.csv), grows);
}

TEST(ExactCountsOf, CpusAddUpToAll) {
    const AuditedRun run =
        run_audited({"--map", "sharded_map", "--threads", "7", "--ops", ops}, {"--per-cpu", "-i", "0.1"});
    expect_exact(run);
    for (const char* scope : {"interval", "total"}) {
        std::map<std::tuple<std::string, std::string, std::string>, long> cpus, all;
        for (const CsvRow& row : run.csv) {
            if (row.at("scope") != scope) continue;
            const auto key = std::make_tuple(row.at("elapsed_s"), row.at("map_id"), row.at("op"));
            (row.at("cpu") == "all" ? all : cpus)[key] += std::stol(row.at("calls"));
        }
        EXPECT_FALSE(all.empty());
        EXPECT_EQ(cpus, all) << scope;
    }
}

TEST(ExactCountsOf, ThreadsAddUpToAll) {
    const AuditedRun run = run_audited({"--map", "mutex_map", "--threads", "7", "--ops", ops}, {"--per-thread"});
    expect_exact(run);
    std::map<std::string, long> threads, all;
    std::set<std::string> tids;
    for (const CsvRow& row : run.csv) {
        if (row.at("scope") != "total") continue;
        if (row.at("tid") != "all") tids.insert(row.at("tid"));
        (row.at("tid") == "all" ? all : threads)[row.at("op")] += std::stol(row.at("calls"));
    }
    EXPECT_GE(tids.size(), 7u);
    EXPECT_EQ(threads, all);
}

TEST(ExactCountsOf, IntervalsAddUpToTotals) {
    const AuditedRun run =
        run_audited({"--map", "mutex_map", "--threads", "2", "--maps", "3", "--ops", ops}, {"-i", "0.05"});
    expect_exact(run);
    std::map<std::pair<std::string, std::string>, long> intervals, totals;
    for (const CsvRow& row : rows_of(run.csv, "interval"))
        intervals[{row.at("map_id"), row.at("op")}] += std::stol(row.at("calls"));
    for (const CsvRow& row : rows_of(run.csv, "total"))
        totals[{row.at("map_id"), row.at("op")}] += std::stol(row.at("calls"));
    EXPECT_EQ(intervals, totals);
}

}  // namespace
}  // namespace mapaudit::test
