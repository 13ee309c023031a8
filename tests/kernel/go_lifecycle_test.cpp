// SPDX-License-Identifier: Apache-2.0
//
// A Go program under audit does what it does without: it ends by its own error, survives attaching and detaching while
// its stacks move, and an auditor that is killed leaves nothing in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "go_target.hpp"
#include "sources/go/go_source.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;

std::unique_ptr<sources::GoProcess> find_go(const Process& process) {
    auto found = sources::GoProcess::find(process);
    EXPECT_TRUE(found) << found.error().line();
    return found ? std::move(*found) : nullptr;
}

// How much of a program is watched, in the process and by the auditor's options. Windows never close here: what is to
// survive is the most that is ever attached.
struct Watched {
    const char* name;
    sources::GoWatch watch;
    std::vector<std::string> options;
    const char* sign;  // in the auditor's rows: it is attached and sees something
    int rounds, kills;
};

class GoLifecycle : public testing::TestWithParam<Watched> {};

INSTANTIATE_TEST_SUITE_P(
    Watching, GoLifecycle,
    testing::Values(Watched{"growth", sources::GoWatch::growth, {"--level", "events"}, " grow ", 100, 5},
                    Watched{"operations", sources::GoWatch::operations, {"--level", "full"}, " assign ", 30, 5},
                    Watched{
                        "windows", sources::GoWatch::windows, {"--races", "--max-overhead", "100"}, " assign ", 30, 5}),
    [](const auto& test) { return std::string(test.param.name); });

std::unique_ptr<sources::GoSource> attach(const Process& process, sources::GoWatch watch) {
    std::vector<std::unique_ptr<sources::GoProcess>> processes;
    processes.push_back(find_go(process));
    if (processes.front() == nullptr) return nullptr;
    auto source = sources::GoSource::attach(std::move(processes), {.watch = watch, .budget_percent = 100});
    EXPECT_TRUE(source) << source.error().line();
    return source ? std::move(*source) : nullptr;
}

TEST(GoConflict, TheErrorThatEndsAProgramIsTold) {
    const ScratchFolder scratch;
    GoTarget target("racer");
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "--csv", scratch.file("a.csv"),
                   "--level", "events", "--stacks", "--fail-on-conflict"});
    ASSERT_TRUE(auditor.wait_for("attached to")) << auditor.err();
    ASSERT_TRUE(target.child().write_line("go"));
    const Finished raced = target.child().finish();
    EXPECT_EQ(raced.exit_code, 2) << "as the runtime ends it";
    EXPECT_THAT(raced.err, HasSubstr("fatal error: concurrent map writes"));
    const Finished audited = auditor.finish();
    EXPECT_EQ(audited.exit_code, 5) << audited.said();

    long conflicts = 0;
    for (const CsvRow& row : rows_of(read_csv(scratch.file("a.csv")), "total")) {
        EXPECT_EQ(row.at("op"), "grow") << "of operations nothing is known";
        conflicts += std::stol(row.at("conflicts"));
        if (row.at("conflicts") == "0") continue;
        EXPECT_THAT(row.at("map_name"), HasSubstr("map[string]int racer.go:"));
    }
    // The runtime may come upon it in two goroutines before it has ended the program.
    EXPECT_GE(conflicts, 1);
    EXPECT_LE(conflicts, 2);
    EXPECT_THAT(audited.said(), HasSubstr("main.(*registry).enter(go classic): observed "));
    EXPECT_THAT(audited.said(), HasSubstr("concurrent writes, "));
    EXPECT_THAT(audited.said(), testing::ContainsRegex("goroutine [1-9][0-9]* in\n +runtime.mapassign_faststr "
                                                       "\\(map_faststr.go:[0-9]+\\)\n +main.\\(\\*registry\\).enter "
                                                       "\\(racer.go:[0-9]+\\)"));
    EXPECT_THAT(audited.said(), HasSubstr("another one in [not known"));
    const LedgerLine ledger = ledger_of(audited);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_EQ(ledger.lost, 0u);
}

// Every attach and detach rewrites code that goroutines run, whose stacks the runtime moves meanwhile.
TEST_P(GoLifecycle, AttachedManyTimesWhileStacksMove) {
    GoTarget target("diver");
    auto process = Process::open(target.pid());
    ASSERT_TRUE(process);
    model::Aggregator aggregator({});
    for (int round = asked("MAPAUDIT_GO_ROUNDS", GetParam().rounds); round > 0; --round) {
        auto source = attach(*process, GetParam().watch);
        ASSERT_NE(source, nullptr);
        ASSERT_TRUE(comes_true("a hit under the probes",
                               [&] {
                                   source->collect(aggregator);
                                   return source->ledger().handled > 0;
                               }))
            << "round " << round;
        source->detach(aggregator);
        const model::Ledger ledger = source->ledger();
        ASSERT_EQ(ledger.fired, ledger.handled + ledger.lost_total()) << "round " << round;
        ASSERT_TRUE(process->alive()) << "round " << round;
    }
    target.child().end_input();
    const Finished finished = target.child().finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_GT(std::stol(finished.out.substr(finished.out.find('\n'))), 0);
}

// The code of all functions that may be probed, as the process has it: from the entry past the last RET.
std::vector<std::uint8_t> code_of_map_functions(const Process& process, const sources::GoProcess& go) {
    std::vector<std::uint8_t> code;
    for (const auto& function : go.binary().functions()) {
        const auto begin = go.binary().file_offset(function.entry);
        EXPECT_TRUE(begin) << function.name;
        const std::uint64_t end = function.returns.empty() ? function.probe_offset + 16 : function.returns.back() + 1;
        std::vector<std::uint8_t> bytes(end - begin.value_or(end));
        EXPECT_TRUE(process.read(function.entry, bytes.data(), bytes.size())) << function.name;
        code.insert(code.end(), bytes.begin(), bytes.end());
    }
    return code;
}

TEST_P(GoLifecycle, AKilledAuditorLeavesNothing) {
    GoTarget target("diver");
    auto process = Process::open(target.pid());
    ASSERT_TRUE(process);
    const auto go = find_go(*process);
    ASSERT_NE(go, nullptr);
    ASSERT_FALSE(go->binary().position_independent());
    const auto before = code_of_map_functions(*process, *go);
    ASSERT_FALSE(before.empty());
    for (int round = asked("MAPAUDIT_GO_KILLS", GetParam().kills); round > 0; --round) {
        std::vector<std::string> argv{MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "-i",
                                      "0.01",           "--plain"};
        argv.insert(argv.end(), GetParam().options.begin(), GetParam().options.end());
        Child auditor(argv);
        ASSERT_TRUE(auditor.wait_for(GetParam().sign)) << auditor.err();
        EXPECT_NE(code_of_map_functions(*process, *go), before) << "nothing is attached";
        auditor.send(SIGKILL);
        EXPECT_EQ(auditor.finish().signal, SIGKILL);
        comes_true("the code as it was", [&] { return code_of_map_functions(*process, *go) == before; });
        ASSERT_TRUE(process->alive());
    }
    EXPECT_EQ(target.end().exit_code, 0);
}

TEST(GoAudited, TheTargetsEndEndsTheAudit) {
    GoTarget target("diver");
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid())});
    ASSERT_TRUE(auditor.wait_for(" grow ")) << auditor.err();
    target.child().send(SIGKILL);
    const Finished finished = auditor.finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    const LedgerLine ledger = ledger_of(finished);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
}

// At level auto, operations that fell into a window have rows of their own.
std::vector<CsvRow> growths_of(std::vector<CsvRow> rows) {
    std::erase_if(rows, [](const CsvRow& row) { return row.at("op") != "grow"; });
    return rows;
}

// By its file: before it runs, and once it does. A copy is another file, which nobody else runs.
TEST(GoAudited, ByItsFile) {
    const ScratchFolder scratch;
    const std::string program = scratch.file("grower");
    std::filesystem::copy_file(MAPAUDIT_GO_TARGETS "/grower", program);
    for (const bool runs_already : {false, true}) {
        SCOPED_TRACE(runs_already);
        std::optional<GoTarget> target;
        if (runs_already) target.emplace(program, std::vector<std::string>{"fill", "1009"});
        Child auditor({MAPAUDIT_AUDITOR, "attach", "--exe", program, "--csv", scratch.file("a.csv"), "--fail-on-loss"});
        if (!runs_already) {
            ASSERT_TRUE(auditor.wait_for("waiting for a process that runs " + program)) << auditor.err();
            target.emplace(program, std::vector<std::string>{"fill", "1009"});
        }
        ASSERT_TRUE(auditor.wait_for("attached to " + std::to_string(target->pid()))) << auditor.err();
        const auto known = target->load();
        EXPECT_EQ(target->end().exit_code, 0);
        const Finished finished = auditor.finish();
        ASSERT_EQ(finished.exit_code, 0) << finished.err;
        const auto rows = growths_of(own_maps(read_csv(scratch.file("a.csv"))));
        ASSERT_EQ(rows.size(), 1u);
        EXPECT_EQ(std::stol(rows[0].at("grows")), known.at(0).at("growths").get<long>());
    }
}

TEST(GoAudited, ByAFileThatNobodyRuns) {
    EXPECT_EQ(run({MAPAUDIT_AUDITOR, "attach", "--exe", "/nowhere/program"}).exit_code, 3);
    EXPECT_EQ(run({MAPAUDIT_AUDITOR, "attach", "--exe", "/bin/true", "-p", "1"}).exit_code, 2);
    EXPECT_EQ(run({MAPAUDIT_AUDITOR, "attach"}).exit_code, 2);
    const ScratchFolder scratch;
    const std::string program = scratch.file("grower");
    std::filesystem::copy_file(MAPAUDIT_GO_TARGETS "/grower", program);
    Child auditor({MAPAUDIT_AUDITOR, "attach", "--exe", program});
    ASSERT_TRUE(auditor.wait_for("waiting for a process")) << auditor.err();
    auditor.send(SIGINT);
    const Finished finished = auditor.finish();
    EXPECT_EQ(finished.exit_code, 3);
    EXPECT_THAT(finished.err, HasSubstr("no process ran " + program));
}

TEST(GoAudited, BesideAProgramOfTheLibrary) {
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "2", "--ops", "100003"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    GoTarget target("grower", {"fill", "1009"});
    const ScratchFolder scratch;
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()) + ',' + std::to_string(driver.pid()),
                   "--csv", scratch.file("a.csv"), "--fail-on-loss"});
    ASSERT_TRUE(auditor.wait_for("attached to")) << auditor.err();
    const auto known = target.load();
    const Finished driven = driver.finish();
    ASSERT_EQ(driven.exit_code, 0) << driven.err;
    EXPECT_EQ(target.end().exit_code, 0);
    const Finished finished = auditor.finish();
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const auto csv = read_csv(scratch.file("a.csv"));
    const auto rows = growths_of(own_maps(csv));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(std::stol(rows[0].at("grows")), known.at(0).at("growths").get<long>());
    long calls = 0;
    for (const CsvRow& row : rows_of(csv, "total"))
        if (row.at("source") == "usdt" && row.at("op") != "grow") calls += std::stol(row.at("calls"));
    EXPECT_EQ(calls, 100003);
}

}  // namespace
}  // namespace mapaudit::test
