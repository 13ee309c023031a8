// SPDX-License-Identifier: Apache-2.0
//
// Attaching late, twice, again; targets and auditors that die: the counts stay right, and nothing stays behind.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "kernel/usdt_audit.hpp"
#include "sources/usdt/usdt_images.hpp"
#include "sources/usdt/usdt_source.hpp"
#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

// A driver that runs until it is told to stop.
class RunningDriver {
public:
    explicit RunningDriver(const char* threads = "2", std::vector<std::string> extra = {})
        : child_(command(threads, std::move(extra))), process_(Process::open(child_.pid())) {
        wait_until("maps in the registry", [&] { return live_maps() > 0; });
    }
    const Process& process() const { return *process_; }
    int pid() const { return child_.pid(); }
    Finished stop() {
        child_.send(SIGTERM);
        return child_.finish();
    }
    Child& child() { return child_; }

    // Sum of all semaphores of the probes: 0 when nothing is attached.
    unsigned semaphores() const {
        auto images = sources::find_images(*process_);
        if (!images || images->empty()) return 0;
        const auto& image = images->front();
        const auto mappings = process_->mappings();
        if (!mappings) return 0;
        unsigned sum = 0;
        for (const auto& site : image.probes->sites) {
            // Semaphores are data: the mapping that holds the file offset gives the address.
            for (const Mapping& mapping : *mappings) {
                if (mapping.executable || mapping.path != image.path) continue;
                const std::uint64_t length = mapping.end - mapping.start;
                if (site.semaphore_offset < mapping.offset || site.semaphore_offset >= mapping.offset + length)
                    continue;
                std::uint16_t value = 0;
                if (process_->read(mapping.start + site.semaphore_offset - mapping.offset, &value, sizeof value))
                    sum += value;
            }
        }
        return sum;
    }

private:
    static std::vector<std::string> command(const char* threads, std::vector<std::string> extra) {
        std::vector<std::string> argv{MAPAUDIT_WORKLOAD, "--map", "mutex_map", "--threads", threads,
                                      "--duration",      "600",   "--name",    "sessions",  "--json"};
        argv.insert(argv.end(), extra.begin(), extra.end());
        return argv;
    }
    std::size_t live_maps() const {
        auto images = sources::find_images(*process_);
        if (!images || images->empty() || images->front().registry == 0) return 0;
        sources::RegistryReader registry(*process_, images->front().registry);
        auto in_use = registry.refresh();
        return in_use && *in_use ? registry.maps_live() : 0;
    }
    Child child_;
    Result<Process> process_;
};

TEST(Lifecycle, AProcessThatRanBefore) {
    RunningDriver driver;
    const ScratchFolder scratch;
    const Finished auditor = run(
        {MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(driver.pid()), "-d", "0.5", "--csv", scratch.file("a.csv")});
    ASSERT_EQ(auditor.exit_code, 0) << auditor.err;
    const auto totals = rows_of(read_csv(scratch.file("a.csv")), "total");
    ASSERT_FALSE(totals.empty());
    EXPECT_EQ(totals[0].at("map_name"), "sessions");
    EXPECT_EQ(totals[0].at("map_kind"), "mutex_map");
    EXPECT_GT(std::stoull(totals[0].at("calls")), 1000u);
    EXPECT_GT(std::stoull(totals[0].at("size")), 0u);
    EXPECT_GT(std::stoull(totals[0].at("buckets")), 0u);
    const LedgerLine ledger = ledger_of(auditor);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_EQ(ledger.lost, 0u);
    EXPECT_EQ(driver.semaphores(), 0u);
    EXPECT_EQ(driver.stop().exit_code, 0);
}

TEST(Lifecycle, TwoAuditorsBothCountRight) {
    Child driver(waiting_workload({"--map", "sharded_map", "--threads", "3", "--ops", "2000003", "--maps", "3"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    auto process = Process::open(driver.pid());
    ASSERT_TRUE(process);
    model::Aggregator first_aggregator({}), second_aggregator({});
    auto first = sources::UsdtSource::attach({&*process}, {sources::Level::full, false, {}});
    auto second = sources::UsdtSource::attach({&*process}, {sources::Level::full, false, {}});
    ASSERT_TRUE(first && second);
    const Finished finished = driver.finish(Child::Seconds(120));
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    (*first)->detach(first_aggregator);
    (*second)->detach(second_aggregator);
    const auto json = nlohmann::json::parse(finished.out);
    EXPECT_EQ(calls_of(first_aggregator), 2000003u);
    expect_balance((*first)->ledger());
    // The second may have come a moment after the load began; what it missed it did not see, and what it saw is exact.
    EXPECT_LE(calls_of(second_aggregator), 2000003u);
    EXPECT_GT(calls_of(second_aggregator), 0u);
    expect_balance((*second)->ledger());
}

// A program that operates on the map "portions" when it is told to and not otherwise, while another of its threads
// never rests: whoever attaches and detaches in between does so under load, and knows what there was to be seen.
class Portions {
public:
    Portions()
        : child_({std::string(MAPAUDIT_TARGETS) + "portions"}, Child::Input::pipe),
          ready_(child_.read_line() == "ready"),
          process_(Process::open(child_.pid())) {
        EXPECT_TRUE(ready_ && process_) << child_.err();
    }
    const Process& process() const { return *process_; }
    // Operations of its threads on that map since its start, these included.
    std::uint64_t operate(unsigned times_each) {
        EXPECT_TRUE(child_.write_line(std::to_string(times_each)));
        return std::stoull(child_.read_line().value_or("0"));
    }
    Finished end() {
        child_.end_input();
        return child_.finish();
    }

private:
    Child child_;
    bool ready_;
    Result<Process> process_;
};

TEST(Lifecycle, AttachingAgainCountsOnlyWhatIsNew) {
    Portions program;
    std::uint64_t seen = 0, unseen = 0, driven = 0;
    // What was done while nobody was attached, between two calls of this.
    const auto unwatched = [&](unsigned times_each) {
        const std::uint64_t now = program.operate(times_each);
        unseen += now - driven;
        driven = now;
    };
    for (int round = 0; round < 10; ++round) {
        SCOPED_TRACE(round);
        unwatched(1009);
        model::Aggregator aggregator({});
        const auto level = round % 2 == 0 ? sources::Level::full : sources::Level::sampled;
        auto source = sources::UsdtSource::attach({&program.process()}, {level, false, {}});
        ASSERT_TRUE(source) << source.error().line();
        wait_until("the load", [&] {
            (*source)->collect(aggregator);
            return calls_of(aggregator, "background") > 0;
        });
        const std::uint64_t now = program.operate(2003);
        const std::uint64_t watched = now - driven;
        driven = now;
        (*source)->detach(aggregator);
        expect_balance((*source)->ledger());
        source = Error::of(Failure::failed, "gone");
        EXPECT_EQ(watched, 3u * 2003);
        EXPECT_EQ(calls_of(aggregator, "portions"), watched);
        seen += calls_of(aggregator, "portions");
    }
    unwatched(997);
    EXPECT_EQ(seen + unseen, driven);
    EXPECT_EQ(program.end().exit_code, 0);
}

TEST(Lifecycle, WhatAnIdleThreadHoldsIsRead) {
    // 100 operations fill no batch, and the thread then does nothing: only reading its block finds them.
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "1", "--ops", "300", "--rate", "1000"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    auto process = Process::open(driver.pid());
    ASSERT_TRUE(process);
    model::Aggregator aggregator({});
    auto source = sources::UsdtSource::attach({&*process}, {sources::Level::full, false, {}});
    ASSERT_TRUE(source) << source.error().line();
    wait_until("the first operations", [&] {
        (*source)->collect(aggregator);
        return calls_of(aggregator) > 0;
    });
    const Finished finished = driver.finish();
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    (*source)->detach(aggregator);
    EXPECT_EQ(calls_of(aggregator), 300u);
    expect_balance((*source)->ledger());
}

TEST(Lifecycle, AKilledAuditorLeavesNothingBehind) {
    RunningDriver driver;
    for (int round = 0; round < 5; ++round) {
        Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(driver.pid()), "--plain"});
        ASSERT_TRUE(auditor.wait_for("attached")) << auditor.err();
        EXPECT_GT(driver.semaphores(), 0u);
        auditor.send(SIGKILL);
        EXPECT_EQ(auditor.finish().signal, SIGKILL);
        wait_until("semaphores back at 0", [&] { return driver.semaphores() == 0; });
    }
    EXPECT_EQ(driver.stop().exit_code, 0);
}

TEST(Lifecycle, AKilledTargetEndsTheAudit) {
    RunningDriver driver;
    const ScratchFolder scratch;
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(driver.pid()), "--csv", scratch.file("a.csv"), "-i",
                   "0.1", "--plain"});
    ASSERT_TRUE(auditor.wait_for("mutex_map")) << auditor.err();  // a row
    driver.child().send(SIGKILL);
    const Finished finished = auditor.finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_FALSE(rows_of(read_csv(scratch.file("a.csv")), "total").empty());
    const LedgerLine ledger = ledger_of(finished);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
}

TEST(Lifecycle, StopSignalsDrainAndEndWell) {
    RunningDriver driver;
    for (const int signal : {SIGINT, SIGTERM}) {
        Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(driver.pid()), "--plain", "-i", "0.1"});
        ASSERT_TRUE(auditor.wait_for("mutex_map")) << auditor.err();  // a row
        auditor.send(signal);
        const Finished finished = auditor.finish();
        EXPECT_EQ(finished.exit_code, 0) << finished.err;
        EXPECT_NE(finished.out.find("Ledger"), std::string::npos);
        EXPECT_EQ(driver.semaphores(), 0u);
    }
    EXPECT_EQ(driver.stop().exit_code, 0);
}

TEST(Lifecycle, TheSummaryIsDataUnlessAStreamHasStdout) {
    RunningDriver driver;
    const ScratchFolder scratch;
    const auto audit_into = [&](const std::string& csv) {
        return run({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(driver.pid()), "-d", "0.2", "--csv", csv});
    };
    const Finished shown = audit_into(scratch.file("a.csv"));
    EXPECT_NE(shown.out.find("Ledger: "), std::string::npos) << shown.err;
    EXPECT_EQ(shown.err.find("Ledger: "), std::string::npos) << shown.err;
    const Finished streamed = audit_into("-");
    EXPECT_TRUE(streamed.out.starts_with("time,elapsed_s,")) << streamed.out;
    EXPECT_EQ(streamed.out.find("Ledger: "), std::string::npos) << streamed.out;
    EXPECT_NE(streamed.err.find("Ledger: "), std::string::npos) << streamed.err;
    EXPECT_EQ(driver.stop().exit_code, 0);
}

TEST(Lifecycle, AttachAndDetachUnderLoadManyTimes) {
    RunningDriver driver("8");
    for (int round = 0; round < 200; ++round) {
        model::Aggregator aggregator({});
        const auto level = round % 3 == 0   ? sources::Level::sampled
                           : round % 3 == 1 ? sources::Level::full
                                            : sources::Level::events;
        auto source = sources::UsdtSource::attach({&driver.process()}, {level, false, {}});
        ASSERT_TRUE(source) << source.error().line();
        (*source)->detach(aggregator);
        expect_balance((*source)->ledger());
    }
    EXPECT_EQ(driver.semaphores(), 0u);
    EXPECT_EQ(driver.stop().exit_code, 0);
}

TEST(Lifecycle, PerfEventsWhereThereIsNoMultiLink) {
    Child driver(waiting_workload({"--map", "rwlock_map", "--threads", "3", "--ops", "300007"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    auto process = Process::open(driver.pid());
    ASSERT_TRUE(process);
    model::Aggregator aggregator({});
    auto source = sources::UsdtSource::attach({&*process}, {sources::Level::full, false, {}},
                                              sources::UprobeMechanism::perf_events);
    ASSERT_TRUE(source) << source.error().line();
    const Finished finished = driver.finish();
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    (*source)->detach(aggregator);
    EXPECT_EQ(calls_of(aggregator), 300007u);
    expect_balance((*source)->ledger());
}

TEST(Lifecycle, MoreStacksThanTheirRingHoldsCostNoCount) {
    Child driver(
        waiting_workload({"--map", "mutex_map", "--threads", "64", "--ops", "1000003", "--read-ratio", "0.5"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    auto process = Process::open(driver.pid());
    ASSERT_TRUE(process);
    model::Aggregator aggregator({});
    auto source = sources::UsdtSource::attach({&*process}, {sources::Level::full, false, {}});
    ASSERT_TRUE(source) << source.error().line();
    // Nobody reads while it runs, as where the auditor gets no CPU.
    const Finished finished = driver.finish(Child::Seconds(120));
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    (*source)->detach(aggregator);
    for (const model::Loss& loss : (*source)->ledger().lost) EXPECT_EQ(loss.count, 0u) << loss.cause;
    EXPECT_EQ(calls_of(aggregator), 1'000'003u);
}

TEST(Lifecycle, RunAuditsFromTheFirstInstruction) {
    const ScratchFolder scratch;
    const Finished finished = run({MAPAUDIT_AUDITOR, "run", "--csv", scratch.file("a.csv"), "--", MAPAUDIT_WORKLOAD,
                                   "--map", "mutex_map", "--threads", "2", "--ops", "100003", "--json"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const auto rows = rows_of(read_csv(scratch.file("a.csv")), "total");
    std::uint64_t calls = 0;
    for (const CsvRow& row : rows)
        if (row.at("op") != "grow") calls += std::stoull(row.at("calls"));
    EXPECT_EQ(calls, 100003u);
}

}  // namespace
}  // namespace mapaudit::test
