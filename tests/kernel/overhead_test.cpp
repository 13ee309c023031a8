// SPDX-License-Identifier: Apache-2.0
//
// What an audit is said to cost its target: from figures measured here, also where the audit is over in a moment.
#include <gtest/gtest.h>

#include <regex>

#include "sources/host/calibration.hpp"
#include "sources/usdt/usdt_source.hpp"
#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

TEST(Calibration, PricesAreThoseOfThisHost) {
    auto calibration = sources::Calibration::start({sources::attach_library});
    ASSERT_TRUE(calibration) << calibration.error().line();
    const auto prices = calibration->finish(std::chrono::seconds(20));
    ASSERT_TRUE(prices) << prices.error().line();
    EXPECT_TRUE(prices->measured);
    for (const double price :
         {prices->record_ns, prices->program_ns, prices->counted_ns, prices->trap_ns, prices->event_ns}) {
        EXPECT_GT(price, 0.1);
        EXPECT_LT(price, 100'000);
    }
    EXPECT_GE(prices->sample_ns, 0);
    EXPECT_GT(prices->parallel_speed, 0);
    EXPECT_LT(prices->counted_ns, prices->record_ns);
}

TEST(Overhead, RestsOnWhatTheTargetDid) {
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "1", "--ops", "4000037"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    auto process = Process::open(driver.pid());
    ASSERT_TRUE(process);
    model::Aggregator aggregator({});
    sources::UsdtOptions options;
    options.cpu = true;
    auto source = sources::UsdtSource::attach({&*process}, options);
    ASSERT_TRUE(source) << source.error().line();
    ASSERT_EQ(driver.finish().exit_code, 0);
    (*source)->detach(aggregator);
    const model::Activity activity = (*source)->activity();
    EXPECT_EQ(activity.timed, 4000037u);
    EXPECT_EQ(activity.counted, 0u);
    EXPECT_GE(activity.batches, 4000037u / MAPAUDIT_BATCH);
    EXPECT_GT(activity.events, 0u) << "its map was made, grew and went while it was audited";
    EXPECT_GT(activity.samples, 0u);
    EXPECT_GT(activity.program_ns, static_cast<double>(activity.timed) * 0.5) << "a record is a few instructions";
    EXPECT_LT(activity.program_ns, static_cast<double>(activity.timed) * 1000.0);
}

TEST(Overhead, IsKnownOfAnAuditThatEndsBeforeItsFirstInterval) {
    const AuditedRun run = run_audited({"--map", "mutex_map", "--threads", "2", "--ops", "6000011"}, {"-i", "60"});
    ASSERT_EQ(run.auditor.exit_code, 0) << run.auditor.said();
    EXPECT_NE(run.auditor.said().find("Target slowed down: about "), std::string::npos) << run.auditor.said();
    EXPECT_NE(run.auditor.said().find("calibrated on this host"), std::string::npos) << run.auditor.said();
}

// A wait has two stacks and two threads, and there is a row for each that differs: thousands of them here.
TEST(SelfCost, IsSmallWhereManyThreadsFightForManyMaps) {
    const AuditedRun run =
        run_audited({"--map", "mutex_map", "--threads", "32", "--maps", "300", "--keys", "50", "--ops", "6000011"},
                    {"--level", "full"});
    ASSERT_EQ(run.auditor.exit_code, 0) << run.auditor.said();
    const std::string text = run.auditor.said();
    EXPECT_GT(waits_in(run.csv), 1000u);
    std::smatch said;
    ASSERT_TRUE(std::regex_search(text, said, std::regex("mapaudit itself: .*, ([0-9.]+) MiB \\+")))
        << run.auditor.said();
    EXPECT_LT(std::stod(said[1]), 40) << said[0];
}

}  // namespace
}  // namespace mapaudit::test
