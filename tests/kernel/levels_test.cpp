// SPDX-License-Identifier: Apache-2.0
//
// Changing the level while the target runs: every call is counted once, whichever level it began at.
#include <poll.h>

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "sources/usdt/usdt_source.hpp"
#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

using sources::Level;

struct Switched {
    std::uint64_t calls = 0, driven = 0, timed = 0;
    int switches = 0;
    model::Ledger ledger;
    model::Activity activity;
};

// Audits the driver, going round `levels` as long as it runs.
Switched switch_round(const std::vector<std::string>& workload, const std::vector<Level>& levels,
                      sources::UprobeMechanism mechanism = sources::UprobeMechanism::multi) {
    Switched result;
    Child driver(waiting_workload(workload));
    EXPECT_TRUE(driver.wait_for("ready")) << driver.err();
    auto process = Process::open(driver.pid());
    EXPECT_TRUE(process);
    model::Aggregator aggregator({});
    sources::UsdtOptions options{levels[0], false, {}};
    options.switchable = true;
    auto source = sources::UsdtSource::attach({&*process}, options, mechanism);
    EXPECT_TRUE(source) << source.error().line();
    if (!source) return result;
    while (process->alive()) {
        (*source)->collect(aggregator);
        const Level next = levels[static_cast<std::size_t>(++result.switches) % levels.size()];
        const auto changed = (*source)->set_level(next, aggregator);
        if (!changed) {
            // It may be on its way out: without its files, and not dead yet.
            pollfd end{process->pidfd(), POLLIN, 0};
            EXPECT_EQ(::poll(&end, 1, 10'000), 1) << changed.error().line();
            break;
        }
        EXPECT_EQ((*source)->level(), next);
    }
    const Finished finished = driver.finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    (*source)->detach(aggregator);
    for (const model::Row& row : aggregator.totals(1)) {
        if (row.op == model::Op::grow) continue;
        result.calls += row.calls;
        result.timed += row.timed;
    }
    const auto json = nlohmann::json::parse(finished.out);
    for (const auto& [op, calls] : json.at("ops").items()) result.driven += calls.get<std::uint64_t>();
    result.ledger = (*source)->ledger();
    result.activity = (*source)->activity();
    return result;
}

void expect_exact(const Switched& run) {
    EXPECT_EQ(run.calls, run.driven);
    EXPECT_GT(run.switches, 3);
    EXPECT_EQ(run.ledger.fired, run.ledger.handled + run.ledger.lost_total());
    for (const model::Loss& loss : run.ledger.lost) ADD_FAILURE() << loss.count << " lost: " << loss.cause;
    EXPECT_GT(run.timed, run.driven / 50) << "was at level full for a part of the time";
    EXPECT_LT(run.timed, run.driven) << "and at level sampled for another";
    EXPECT_EQ(run.activity.operations(), run.driven);
}

TEST(Levels, NoCallIsLostOrCountedTwiceBetweenFullAndSampled) {
    for (const char* kind : {"mutex_map", "sharded_map"})
        for (const char* threads : {"1", "3"})
            expect_exact(switch_round({"--map", kind, "--threads", threads, "--ops", "12000017", "--maps", "3"},
                                      {Level::full, Level::sampled}));
}

TEST(Levels, NorWhereThreadsAreIdleMostOfTheTime) {
    expect_exact(switch_round({"--map", "mutex_map", "--threads", "7", "--ops", "30011", "--rate", "20000"},
                              {Level::sampled, Level::full}));
}

TEST(Levels, NorWhereMapsShareACounter) {
    // More maps than the target has counters: they take turns.
    expect_exact(switch_round({"--map", "mutex_map", "--threads", "2", "--ops", "5000011", "--maps", "300"},
                              {Level::full, Level::sampled}));
}

TEST(Levels, WhatIsDoneAtLevelEventsIsNotSeenAndNothingElseIsMissed) {
    const Switched run = switch_round({"--map", "mutex_map", "--threads", "2", "--ops", "12000017"},
                                      {Level::full, Level::sampled, Level::events, Level::sampled});
    EXPECT_LT(run.calls, run.driven);
    EXPECT_GT(run.calls, 0u);
    EXPECT_EQ(run.ledger.fired, run.ledger.handled + run.ledger.lost_total());
    for (const model::Loss& loss : run.ledger.lost) ADD_FAILURE() << loss.count << " lost: " << loss.cause;
}

std::size_t occurrences(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
}

TEST(Governor, FollowsALoadThatChangesAHundredfoldAndCountsEveryCall) {
    const ScratchFolder scratch;
    Child target({std::string(MAPAUDIT_TARGETS) + "bursts"});
    ASSERT_TRUE(target.wait_for("ready")) << target.err();
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "--max-overhead", "3", "--csv",
                   scratch.file("a.csv"), "-i", "0.2", "--no-cpu", "--plain"});
    const Finished ran = target.finish(Child::Seconds(200));
    const Finished audited = auditor.finish();
    ASSERT_EQ(ran.exit_code, 0) << "the level did not follow the load\n" << audited.err;
    ASSERT_EQ(audited.exit_code, 0) << audited.err;

    const auto csv = read_csv(scratch.file("a.csv"));
    std::uint64_t calls = 0, intervals = 0;
    for (const CsvRow& row : rows_of(csv, "total"))
        if (row.at("op") != "grow") calls += std::stoull(row.at("calls"));
    EXPECT_EQ(std::to_string(calls) + "\n", ran.out);
    // What each map's rows were seen by, in their order: every call timed, or one in so many.
    std::map<std::string, std::string> seen;
    double timed = 0;
    for (const CsvRow& row : rows_of(csv, "interval")) {
        if (row.at("op") != "assign" || row.at("calls") == "0") continue;
        intervals += std::stoull(row.at("calls"));
        EXPECT_EQ(row.at("estimated"), "0");
        const double weight = std::stod(row.at("weight"));
        EXPECT_GE(weight, 1);
        timed += std::stod(row.at("calls")) / weight;
        std::string& map = seen[row.at("map_id")];
        if (weight == 1 && !map.ends_with('1')) map += '1';
        if (weight > 20 && !map.ends_with('n')) map += 'n';
    }
    EXPECT_EQ(intervals, calls);
    EXPECT_EQ(seen.size(), 2u);
    // The load rises and falls a hundredfold three times: full, sampled, full again, as often.
    for (const auto& [map, order] : seen) EXPECT_NE(order.find("1n1"), std::string::npos) << map << ": " << order;
    // A total's weight is that of all its intervals together.
    double timed_in_total = 0;
    for (const CsvRow& row : rows_of(csv, "total"))
        if (row.at("op") == "assign") timed_in_total += std::stod(row.at("calls")) / std::stod(row.at("weight"));
    EXPECT_NEAR(timed_in_total, timed, 0.01 * timed);
    const LedgerLine ledger = ledger_of(audited);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_EQ(ledger.lost, 0u);
    EXPECT_GE(occurrences(audited.err, "level full -> sampled: "), 3u) << audited.err;
    EXPECT_GE(occurrences(audited.err, "level sampled -> full: "), 3u) << audited.err;
    EXPECT_NE(audited.err.find("is over the budget of 3.00 %"), std::string::npos) << audited.err;
    EXPECT_NE(audited.said().find("calibrated on this host"), std::string::npos) << audited.err;
    EXPECT_NE(audited.out.find("# target slowed down: about "), std::string::npos) << audited.out;
}

}  // namespace
}  // namespace mapaudit::test
