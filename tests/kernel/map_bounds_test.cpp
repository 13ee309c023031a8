// SPDX-License-Identifier: Apache-2.0
//
// More maps, and more histograms, than there is room for: what finds none shares a row, and nothing is lost.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "kernel/usdt_audit.hpp"
#include "sources/usdt/usdt_source.hpp"
#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

// Sums of the total rows: of all maps, and of "(other)".
struct Sums {
    std::uint64_t calls = 0, grows = 0, other_calls = 0, other_timed = 0, lost = 0;
    std::set<std::string> maps{};
};

Sums sums_of(const std::vector<CsvRow>& csv) {
    Sums sums;
    for (const CsvRow& row : rows_of(csv, "total")) {
        const std::uint64_t calls = std::stoull(row.at("calls"));
        (row.at("op") == "grow" ? sums.grows : sums.calls) += calls;
        sums.lost += std::stoull(row.at("lost"));
        if (row.at("map_name") != "(other)") {
            sums.maps.insert(row.at("map_id"));
        } else if (row.at("op") != "grow") {
            sums.other_calls += calls;
            sums.other_timed += row.at("p99_ns").empty() ? 0 : calls;
        }
    }
    return sums;
}

TEST(MapBounds, MoreMapsThanTheTableHoldsShareARowAndLoseNothing) {
    // Started under the auditor, the process has no map yet when the table is sized.
    const ScratchFolder scratch;
    const Finished finished =
        run({MAPAUDIT_AUDITOR, "run", "--level", "full", "--csv", scratch.file("a.csv"), "--", MAPAUDIT_WORKLOAD,
             "--map", "mutex_map", "--threads", "2", "--ops", "500009", "--maps", "3001", "--keys", "16"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const Sums sums = sums_of(read_csv(scratch.file("a.csv")));
    const LedgerLine ledger = ledger_of(finished);
    EXPECT_EQ(ledger.fired, ledger.handled);
    EXPECT_EQ(ledger.lost, 0u);
    EXPECT_EQ(sums.lost, 0u);
    EXPECT_EQ(sums.calls, 500'009u);
    EXPECT_EQ(ledger.fired, sums.calls + sums.grows);
    EXPECT_GT(sums.other_calls, 100'000u);
    EXPECT_EQ(sums.other_timed, sums.other_calls) << "counted and timed like a map";
    EXPECT_GT(sums.maps.size(), 1000u);
    EXPECT_LT(sums.maps.size(), 2048u);
}

TEST(MapBounds, TheNumberOfMapsWithRowsOfTheirOwnIsAskedFor) {
    for (const char* level : {"full", "sampled"}) {
        const AuditedRun run =
            run_audited({"--map", "mutex_map", "--threads", "3", "--ops", "1000003", "--maps", "101"},
                        {"--max-maps", "7", "--max-stacks", "64", "--level", level});
        ASSERT_FALSE(run.driver.is_null());
        const Sums sums = sums_of(run.csv);
        std::uint64_t driven = 0;
        for (const auto& [op, calls] : run.driver.at("ops").items()) driven += calls.get<std::uint64_t>();
        EXPECT_EQ(sums.calls, driven) << level;
        EXPECT_EQ(sums.grows, run.driver.at("grows").get<std::uint64_t>()) << level;
        EXPECT_GT(sums.other_calls, driven / 2) << level;
        EXPECT_LE(sums.maps.size(), 14u) << level;  // seven by the kernel, and no more by what is read from threads
        EXPECT_GE(sums.maps.size(), 6u) << level;   // two CPUs may claim a place each for one map
        const LedgerLine ledger = ledger_of(run.auditor);
        EXPECT_EQ(ledger.fired, ledger.handled) << level;
        // No map's own row has more than the map did.
        const CallCounts all = driver_counts(run.driver);
        for (const auto& [key, calls] : audited_counts(run.csv))
            if (key.first != 0) {
                EXPECT_LE(calls, all.at(key)) << level;
            }
    }
}

TEST(MapBounds, CallsWhoseHistogramFindsNoRoomAreCountedWithOtherMaps) {
    for (const auto level : {sources::Level::full, sources::Level::sampled}) {
        Child driver(waiting_workload({"--map", "mutex_map", "--threads", "2", "--ops", "1000003", "--maps", "50"}));
        ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
        auto process = Process::open(driver.pid());
        ASSERT_TRUE(process);
        model::Aggregator aggregator({});
        sources::UsdtOptions options{level, false, {}};
        options.max_pages = 1;  // and what is kept for "(other)"
        auto source = sources::UsdtSource::attach({&*process}, options);
        ASSERT_TRUE(source) << source.error().line();
        const Finished finished = driver.finish();
        ASSERT_EQ(finished.exit_code, 0) << finished.err;
        (*source)->detach(aggregator);
        EXPECT_EQ(calls_of(aggregator), 1'000'003u);
        EXPECT_EQ((*source)->ledger().lost_total(), 0u);
        expect_balance((*source)->ledger());
        std::uint64_t timed = 0, timed_elsewhere = 0;
        for (const model::Row& row : aggregator.totals(1))
            if (row.op != model::Op::grow) (row.map->name == "(other)" ? timed : timed_elsewhere) += row.timed;
        EXPECT_GT(timed, 0u);
        EXPECT_GT(timed, timed_elsewhere);
    }
}

TEST(MapBounds, TheMapsOfOtherSourcesTakeNoRoom) {
    // One operation: all maps but one are never called, and are known by being described alone.
    constexpr std::uint32_t maps = 11;
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "1", "--ops", "1", "--maps", "11"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    auto process = Process::open(driver.pid());
    ASSERT_TRUE(process);
    model::Aggregator aggregator({});
    constexpr std::uint32_t foreign = 10 * maps;
    for (std::uint32_t id = 1; id <= foreign; ++id) aggregator.describe({1, 0, id}, {});
    sources::UsdtOptions options;
    options.max_maps = maps;
    auto source = sources::UsdtSource::attach({&*process}, options);
    ASSERT_TRUE(source) << source.error().line();
    (*source)->collect(aggregator);
    EXPECT_EQ(aggregator.maps(), foreign + maps);
    const Finished finished = driver.finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    (*source)->detach(aggregator);
    EXPECT_EQ(aggregator.maps(), foreign + maps);
    EXPECT_EQ(calls_of(aggregator), 1u);
}

TEST(MapBounds, HoldsForTheMapsOfTheSourceItself) {
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "1", "--ops", "1", "--maps", "11"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    auto process = Process::open(driver.pid());
    ASSERT_TRUE(process);
    model::Aggregator aggregator({});
    sources::UsdtOptions options;
    options.max_maps = 7;
    auto source = sources::UsdtSource::attach({&*process}, options);
    ASSERT_TRUE(source) << source.error().line();
    (*source)->collect(aggregator);
    EXPECT_EQ(aggregator.maps(), 7u);
    EXPECT_EQ(driver.finish().exit_code, 0);
    (*source)->detach(aggregator);
    EXPECT_LE(aggregator.maps(), 8u) << "the one that was operated on may be one more";
}

}  // namespace
}  // namespace mapaudit::test
