// SPDX-License-Identifier: Apache-2.0
//
// Blame adds up: the samples in maps and the rest are all samples; and it falls on the right map, operation and phase.
#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <fstream>
#include <memory>
#include <thread>

#include "sources/blame/cpu_blame.hpp"
#include "sources/usdt/usdt_source.hpp"
#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

// A program under audit with blame; what it was blamed for, once detached.
class Audited {
public:
    explicit Audited(std::unique_ptr<Child> child) : child_(std::move(child)) {
        if (!child_->wait_for("ready")) ADD_FAILURE() << child_->err();
    }
    void attach(int pid, sources::Level level = sources::Level::full) {
        auto process = Process::open(pid);
        if (!process) {
            ADD_FAILURE() << process.error().line();
            return;
        }
        process_ = std::make_unique<Process>(std::move(*process));
        sources::UsdtOptions options;
        options.level = level;
        options.cpu = true;
        options.on_note = [](const std::string& note) { ADD_FAILURE() << note; };
        auto source = sources::UsdtSource::attach({process_.get()}, std::move(options));
        if (!source) {
            ADD_FAILURE() << source.error().line();
            return;
        }
        source_ = std::move(*source);
    }
    void attach() { attach(child_->pid()); }
    Child& child() { return *child_; }
    void collect() { source_->collect(aggregator_); }
    model::CpuReport so_far() const { return aggregator_.cpu_totals(); }
    model::CpuReport detach() {
        source_->detach(aggregator_);
        return aggregator_.cpu_totals();
    }
    // Has the program do something, and waits until it has.
    void order(const std::string& what) {
        child_->write_line(what);
        EXPECT_EQ(child_->read_line(Child::Seconds(60)), "done") << child_->err();
    }

private:
    std::unique_ptr<Child> child_;
    std::unique_ptr<Process> process_;
    std::unique_ptr<sources::UsdtSource> source_;
    model::Aggregator aggregator_{{}};
};

std::unique_ptr<Child> obedient() {
    return std::make_unique<Child>(std::vector<std::string>{std::string(MAPAUDIT_TARGETS) + "blamed"},
                                   Child::Input::pipe);
}

const model::ProcessBlame& only_process(const model::CpuReport& cpu) {
    static const model::ProcessBlame none;
    EXPECT_EQ(cpu.processes.size(), 1u);
    return cpu.processes.empty() ? none : cpu.processes.front();
}

std::string figures(const model::ProcessBlame& p) {
    return std::to_string(p.samples) + " samples: " + std::to_string(p.in_maps) + " in maps, " +
           std::to_string(p.elsewhere) + " elsewhere, " + std::to_string(p.unknown) + " unknown, " +
           std::to_string(p.lost) + " lost";
}

model::OpBlame blame_of(const model::CpuReport& cpu, const std::string& map) {
    model::OpBlame sum;
    for (const model::MapBlame& m : cpu.maps)
        if (m.map->name == map) sum.add(m.sum());
    return sum;
}

// A whole run of the workload under blame, with intervals in between.
model::CpuReport blame_workload(const std::vector<std::string>& workload, sources::Level level = sources::Level::full) {
    Audited audited(std::make_unique<Child>(waiting_workload(workload)));
    audited.attach(audited.child().pid(), level);
    for (int i = 0; i < 3; ++i) {
        audited.child().wait_for("never printed", Child::Seconds(0.1));  // time passes, or it ends
        audited.collect();
    }
    const Finished finished = audited.child().finish(Child::Seconds(120));
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return audited.detach();
}

void expect_to_add_up(const model::CpuReport& cpu) {
    for (const model::ProcessBlame& process : cpu.processes) {
        EXPECT_TRUE(process.balances()) << figures(process);
        std::uint64_t in_maps = 0;
        for (const model::MapBlame& map : cpu.maps)
            if (map.map->id.pid == process.pid) in_maps += map.sum().all();
        EXPECT_EQ(in_maps, process.in_maps);
        EXPECT_EQ(process.lost, 0u);
        EXPECT_GT(process.samples, 0u);
    }
}

TEST(Blame, MapsAndTheRestAreAllSamples) {
    for (const char* kind : {"mutex_map", "sharded_map", "rwlock_map", "go_map"}) {
        SCOPED_TRACE(kind);
        const auto cpu = blame_workload({"--map", kind, "--threads", "3", "--maps", "3", "--ops", "4000037"});
        expect_to_add_up(cpu);
        EXPECT_GT(only_process(cpu).in_maps, 0u) << figures(only_process(cpu));
        EXPECT_FALSE(cpu.able.clock.empty());
    }
}

TEST(Blame, AtTheSampledLevelToo) {
    const auto cpu =
        blame_workload({"--map", "mutex_map", "--threads", "2", "--ops", "20000003"}, sources::Level::sampled);
    expect_to_add_up(cpu);
    EXPECT_GT(only_process(cpu).in_maps, 0u);
}

TEST(Blame, FallsOnTheBusyMapAndNotOnTheIdleOne) {
    Audited audited(obedient());
    audited.attach();
    audited.order("busy 5000011");
    audited.order("spin 200");
    const auto cpu = audited.detach();
    expect_to_add_up(cpu);
    EXPECT_GT(blame_of(cpu, "busy").all(), 0u);
    EXPECT_EQ(blame_of(cpu, "busy").all(), only_process(cpu).in_maps);
    EXPECT_EQ(blame_of(cpu, "idle"), model::OpBlame{});
    EXPECT_GT(only_process(cpu).elsewhere, 0u) << figures(only_process(cpu));
    for (const model::MapBlame& map : cpu.maps) {
        EXPECT_EQ(map.ops[MAPAUDIT_OP_ASSIGN].all(), 0u);
        EXPECT_EQ(map.ops[MAPAUDIT_OP_ERASE].all(), 0u);
    }
}

TEST(Blame, SleepWithTheLockIsSeenOnBothSides) {
    constexpr int times = 7, ms = 20;
    Audited audited(obedient());
    audited.attach();
    audited.order("hold " + std::to_string(times) + " " + std::to_string(ms));
    const auto cpu = audited.detach();
    const model::OpBlame held = blame_of(cpu, "held");
    ASSERT_TRUE(cpu.able.scheduler);
    EXPECT_EQ(only_process(cpu).off_cpu_lost, 0u);
    EXPECT_GE(held.sleeps - held.lock_sleeps, static_cast<unsigned>(times));
    // The sleeper gets on its way after its timer was set: a little less than it asked for.
    EXPECT_GT(held.slept_ns - held.lock_slept_ns, std::uint64_t{times} * ms * 1'000'000 / 2);
    EXPECT_GE(held.lock_sleeps, 1u);
    EXPECT_GT(held.lock_slept_ns, 0u);
    EXPECT_EQ(blame_of(cpu, "idle"), model::OpBlame{});
}

TEST(Blame, ASleepThatHasNotEndedIsToldAsItGoes) {
    Audited audited(obedient());
    audited.attach();
    audited.child().write_line("hold 1 100000");
    const auto asleep = [&] {
        const model::OpBlame held = blame_of(audited.so_far(), "held");
        return held.slept_ns - held.lock_slept_ns;
    };
    for (int i = 0; i < 300 && asleep() < 200'000'000; ++i) {
        audited.child().wait_for("never printed", Child::Seconds(0.1));
        audited.collect();
    }
    const std::uint64_t so_far = asleep();
    EXPECT_GE(so_far, 200'000'000u);
    audited.detach();
    EXPECT_GE(asleep(), so_far);
}

TEST(Blame, APreemptedHolderIsSeen) {
    Audited audited(obedient());
    audited.attach();
    model::OpBlame held;
    for (int i = 0; i < 20 && held.lock_preemptions == 0; ++i) {  // a time slice may be long
        audited.order("crowd 200");
        audited.collect();
        held = blame_of(audited.so_far(), "held");
    }
    audited.detach();
    EXPECT_GT(held.lock_preemptions, 0u);
    EXPECT_GT(held.lock_preempted_ns, 0u);
    EXPECT_LE(held.lock_preemptions, held.preemptions);
    EXPECT_LE(held.lock_preempted_ns, held.preempted_ns);
    EXPECT_GT(held.samples[WIRE_PHASE_LOCKED], 0u);
}

TEST(Blame, OperationsThatChangeCpuAreSeen) {
    if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "there is no other CPU";
    Audited audited(obedient());
    audited.attach();
    audited.order("move 53");
    const auto cpu = audited.detach();
    // Once an operation; a busy machine may move a thread more often, not less.
    EXPECT_GE(blame_of(cpu, "held").migrations, 53u);
    EXPECT_EQ(blame_of(cpu, "busy").migrations, 0u);
}

TEST(Blame, GrowthHasItsOwnShare) {
    const auto cpu = blame_workload(
        {"--map", "mutex_map", "--threads", "1", "--ops", "4000037", "--read-ratio", "0", "--keys", "8000000"});
    expect_to_add_up(cpu);
    ASSERT_EQ(cpu.maps.size(), 1u);
    EXPECT_GT(cpu.maps[0].ops[MAPAUDIT_OP_ASSIGN].growing(), 0u);
    EXPECT_EQ(cpu.maps[0].ops[MAPAUDIT_OP_LOOKUP].growing(), 0u);
}

TEST(Blame, ThreadsThatComeAndGoStillAddUp) {
    const auto cpu =
        blame_workload({"--map", "mutex_map", "--threads", "3", "--ops", "2000003", "--churn", "307", "--maps", "3"});
    expect_to_add_up(cpu);
    EXPECT_GT(only_process(cpu).in_maps, 0u) << figures(only_process(cpu));
    EXPECT_LT(only_process(cpu).unknown, only_process(cpu).samples / 2) << figures(only_process(cpu));
}

TEST(Blame, MoreThreadsThanAreSearched) {
    const auto cpu = blame_workload(
        {"--map", "mutex_map", "--threads", "101", "--ops", "9000011", "--maps", "101", "--read-ratio", "1"});
    expect_to_add_up(cpu);
    EXPECT_GT(only_process(cpu).in_maps, 0u) << figures(only_process(cpu));
}

TEST(Blame, TwoProcessesAreToldApart) {
    const std::vector<std::string> load{"--map", "mutex_map", "--threads", "1", "--ops", "5000011"};
    Child first(waiting_workload(load)), second(waiting_workload(load));
    ASSERT_TRUE(first.wait_for("ready") && second.wait_for("ready"));
    auto a = Process::open(first.pid()), b = Process::open(second.pid());
    ASSERT_TRUE(a && b);
    sources::UsdtOptions options;
    options.cpu = true;
    auto source = sources::UsdtSource::attach({&*a, &*b}, std::move(options));
    ASSERT_TRUE(source) << source.error().line();
    EXPECT_EQ(first.finish().exit_code, 0);
    EXPECT_EQ(second.finish().exit_code, 0);
    model::Aggregator aggregator({});
    (*source)->detach(aggregator);
    const auto cpu = aggregator.cpu_totals();
    ASSERT_EQ(cpu.processes.size(), 2u);
    expect_to_add_up(cpu);
    for (const auto& process : cpu.processes) EXPECT_GT(process.in_maps, 0u) << process.pid;
}

// The target's threads have other ids inside than the auditor, outside, knows them by.
TEST(Blame, ReachesIntoAPidNamespace) {
    std::vector<std::string> argv{"unshare", "--pid", "--fork"};
    for (auto& argument : waiting_workload({"--map", "mutex_map", "--threads", "2", "--ops", "5000011"}))
        argv.push_back(argument);
    Audited audited(std::make_unique<Child>(argv));
    const std::string pid = std::to_string(audited.child().pid());
    int inside = 0;
    std::ifstream("/proc/" + pid + "/task/" + pid + "/children") >> inside;
    ASSERT_GT(inside, 0);
    audited.attach(inside);
    EXPECT_EQ(audited.child().finish().exit_code, 0);
    const auto cpu = audited.detach();
    expect_to_add_up(cpu);
    EXPECT_GT(only_process(cpu).in_maps, 0u) << figures(only_process(cpu));
}

// Blame beside an audit without it, with options of the test's own.
class BlameAlone : public testing::Test {
protected:
    void run(sources::BlameOptions options, const std::vector<std::string>& workload) {
        Child child(waiting_workload(workload));
        ASSERT_TRUE(child.wait_for("ready")) << child.err();
        auto process = Process::open(child.pid());
        ASSERT_TRUE(process);
        const auto images = sources::find_images(*process);
        ASSERT_TRUE(images && !images->empty());
        sources::RegistryReader registry(*process, images->front().registry);
        auto blame = sources::Blame::make({{&*process, 0, 1}}, std::move(options));
        ASSERT_TRUE(blame) << blame.error().line();
        ASSERT_TRUE(registry.refresh());
        sources::BlocksByThread blocks;
        for (const sources::RegistryBlock& block : registry.blocks(1024))
            if (block.tid != 0) blocks[block.tid] = block.address;
        (*blame)->learn(0, registry.address(), blocks);
        ASSERT_TRUE((*blame)->start());
        auto source = sources::UsdtSource::attach({&*process}, {});
        ASSERT_TRUE(source) << source.error().line();
        ASSERT_EQ(child.finish(Child::Seconds(120)).exit_code, 0);
        (*blame)->stop();
        (*blame)->collect(aggregator_.blame());
        cpu_ = aggregator_.cpu_totals();
    }
    model::Aggregator aggregator_{{}};
    model::CpuReport cpu_;
};

TEST_F(BlameAlone, WhatTheTableHasNoRoomForIsCountedAsLost) {
    sources::BlameOptions options;
    options.sizes.blames = 2;
    run(std::move(options), {"--map", "mutex_map", "--threads", "1", "--ops", "9000011", "--maps", "31"});
    const auto& process = only_process(cpu_);
    EXPECT_TRUE(process.balances()) << figures(process);
    EXPECT_GT(process.lost, 0u) << figures(process);
    EXPECT_LE(cpu_.maps.size(), 2u);
}

// Software events stand in for the counters that a virtual machine lacks.
TEST_F(BlameAlone, CountersFallOnOperations) {
    sources::BlameOptions options;
    options.counters = {{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, "cycles"},
                        {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, "instructions"},
                        {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, "cache misses"},
                        {PERF_TYPE_HARDWARE, 12345, "branch misses"}};
    std::vector<std::string> notes;
    options.on_note = [&](const std::string& note) { notes.push_back(note); };
    run(std::move(options), {"--map", "mutex_map", "--threads", "1", "--ops", "9000011"});
    EXPECT_EQ(cpu_.able.clock, "cycles");
    EXPECT_EQ(cpu_.able.counters, (std::array<bool, WIRE_COUNTERS>{true, true, true, false}));
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_NE(notes[0].find("branch misses"), std::string::npos) << notes[0];
    const auto& process = only_process(cpu_);
    EXPECT_TRUE(process.balances()) << figures(process);
    ASSERT_EQ(cpu_.maps.size(), 1u);
    const auto& events = cpu_.maps[0].sum().events;
    for (const auto counter : {WIRE_COUNT_CYCLES, WIRE_COUNT_CACHE_MISSES}) {
        EXPECT_GT(events[counter], 0u);
        EXPECT_LE(events[counter], process.events[counter]);
    }
    EXPECT_EQ(events[WIRE_COUNT_BRANCH_MISSES], 0u);
}

TEST(BlameOutput, IsInTheSummaryUnlessSwitchedOff) {
    const std::vector<std::string> load{"--map", "mutex_map", "--threads", "1", "--ops", "3000017"};
    const auto with = run_audited(load, {"--sort", "cpu"});
    const std::size_t line = with.auditor.said().find(" samples: ");
    ASSERT_NE(line, std::string::npos) << with.auditor.said();
    EXPECT_NE(with.auditor.said().find("Where the CPU went"), std::string::npos);
    EXPECT_EQ(with.auditor.said().find("DOES NOT ADD UP"), std::string::npos) << with.auditor.said();
    for (const std::vector<std::string>& off : {std::vector<std::string>{"--no-cpu"}, {"--level", "events"}}) {
        Child driver(waiting_workload({"--map", "mutex_map", "--duration", "60"}));
        ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
        const Finished without = test::run([&] {
            std::vector<std::string> argv{MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(driver.pid()), "-d", "0.3"};
            argv.insert(argv.end(), off.begin(), off.end());
            return argv;
        }());
        EXPECT_EQ(without.exit_code, 0) << without.err;
        EXPECT_EQ(without.err.find("Where the CPU went"), std::string::npos) << without.err;
    }
}

}  // namespace
}  // namespace mapaudit::test
