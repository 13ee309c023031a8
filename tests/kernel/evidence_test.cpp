// SPDX-License-Identifier: Apache-2.0
//
// Who waited for whom and who raced with whom: threads, stacks and times, on programs whose truth is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// A target's run under audit, with everything that the auditor had to say.
struct Audited {
    Finished target, auditor;
    std::vector<CsvRow> csv;
    std::string folded;
};

Audited audit(const std::vector<std::string>& argv, const std::vector<std::string>& options = {}) {
    const ScratchFolder scratch;
    std::vector<std::string> command{std::string(MAPAUDIT_TARGETS) + argv.front()};
    command.insert(command.end(), argv.begin() + 1, argv.end());
    Child target(command);
    EXPECT_TRUE(target.wait_for("ready")) << target.err();
    std::vector<std::string> attach{
        MAPAUDIT_AUDITOR,      "attach",   "-p",       std::to_string(target.pid()), "--plain", "--csv",
        scratch.file("a.csv"), "--stacks", "--folded", scratch.file("a.folded")};
    if (std::find(options.begin(), options.end(), "--level") == options.end())
        attach.insert(attach.end(), {"--level", "full"});
    attach.insert(attach.end(), options.begin(), options.end());
    Child auditor(attach);
    Audited audited;
    audited.target = target.finish();
    audited.auditor = auditor.finish();
    audited.csv = read_csv(scratch.file("a.csv"));
    audited.folded = contents(scratch.file("a.folded"));
    return audited;
}

// Lines of folded stacks that hold all of `words`.
std::size_t lines_with(const std::string& folded, const std::vector<std::string>& words) {
    std::istringstream lines(folded);
    std::size_t found = 0;
    for (std::string line; std::getline(lines, line);)
        found += std::all_of(words.begin(), words.end(),
                             [&](const auto& word) { return line.find(word) != std::string::npos; })
                     ? 1
                     : 0;
    return found;
}

double wait_total(const std::vector<CsvRow>& csv) {
    double total = 0;
    for (const CsvRow& row : csv)
        if (row.at("scope") == "total" && row.at("cpu") == "all" && row.at("tid") == "all" &&
            !row.at("wait_total_ns").empty())
            total += std::stod(row.at("wait_total_ns"));
    return total;
}

class Waits : public testing::TestWithParam<const char*> {};

TEST_P(Waits, TimeOwnerAndBothStacksAreRight) {
    for (const char* kind : {"mutex", "map", "iteration", "readers"}) {
        SCOPED_TRACE(kind);
        constexpr int rounds = 23;
        const Audited run = audit({GetParam(), kind, std::to_string(rounds), "5"});
        ASSERT_EQ(run.target.exit_code, 0) << run.target.err;
        ASSERT_EQ(run.auditor.exit_code, 0) << run.auditor.said();
        long long waited_ns = 0;
        unsigned holder = 0, waiter = 0;
        ASSERT_EQ(std::sscanf(run.target.out.c_str(), "%lld %u %u", &waited_ns, &holder, &waiter), 3);
        EXPECT_NEAR(wait_total(run.csv), static_cast<double>(waited_ns), 0.1 * static_cast<double>(waited_ns));

        const std::string owner =
            kind == std::string("readers") ? "for readers" : "for thread " + std::to_string(holder);
        const std::string row = block_of(run.auditor.said(), " waits, ");  // the first
        // A round in which the waiter was kept off its CPU for all of the hold is no wait.
        EXPECT_GE(std::stoi(row.substr(row.find(": ") + 2)), rounds - 3) << row;
        EXPECT_THAT(row, HasSubstr(owner)) << run.auditor.said();
        const std::size_t held_at = row.find("held in");
        ASSERT_NE(held_at, std::string::npos) << run.auditor.said();
        EXPECT_THAT(row.substr(0, held_at), HasSubstr("wait_for_it (waiting.cpp:"));
        EXPECT_THAT(row.substr(0, held_at), HasSubstr("main (waiting.cpp:"));
        EXPECT_THAT(row.substr(held_at), HasSubstr("hold_it_long (waiting.cpp:"));
        EXPECT_EQ(row.find("_start ("), std::string::npos) << "it has no line, and its neighbour's is not its own";
        EXPECT_EQ(lines_with(run.folded, {"wait", "main", "wait_for_it"}), 1u) << run.folded;
        EXPECT_GE(lines_with(run.folded, {"hold", "hold_it_long"}), 1u) << run.folded;
        EXPECT_THAT(run.auditor.said(), HasSubstr("for less in hold_it_long (waiting.cpp:")) << "the advice";
        const LedgerLine ledger = ledger_of(run.auditor);
        EXPECT_EQ(ledger.fired, ledger.handled);
    }
}

// A wait was seen where its operation happened to be timed: one in 128.
TEST_P(Waits, AreNotSampled) {
    for (const char* kind : {"mutex", "map", "readers"}) {
        SCOPED_TRACE(kind);
        constexpr int rounds = 23;
        const Audited run = audit({GetParam(), kind, std::to_string(rounds), "5"}, {"--level", "sampled"});
        ASSERT_EQ(run.target.exit_code, 0) << run.target.err;
        ASSERT_EQ(run.auditor.exit_code, 0) << run.auditor.said();
        long waits = 0;
        for (const CsvRow& row : rows_of(run.csv, "total"))
            if (!row.at("waits").empty()) waits += std::stol(row.at("waits"));
        EXPECT_GE(waits, rounds - 3) << "of them, some may not have had to wait";
        const std::string row = block_of(run.auditor.said(), " waits, ");
        EXPECT_GE(std::stoi(row.substr(row.find(": ") + 2)), rounds - 3) << row;
        const std::size_t held_at = row.find("held in");
        ASSERT_NE(held_at, std::string::npos) << run.auditor.said();
        EXPECT_THAT(row.substr(0, held_at), HasSubstr("wait_for_it (waiting.cpp:"));
        EXPECT_THAT(row.substr(held_at), HasSubstr("hold_it_long (waiting.cpp:"));
        const LedgerLine ledger = ledger_of(run.auditor);
        EXPECT_EQ(ledger.fired, ledger.handled);
    }
}

INSTANTIATE_TEST_SUITE_P(Builds, Waits, testing::Values("waiting_with_frames", "waiting_without_frames"),
                         [](const auto& instance) { return std::string(instance.param); });

class Races : public testing::TestWithParam<const char*> {};

TEST_P(Races, BothThreadsAndBothStacksAreRight) {
    const std::pair<const char*, const char*> accesses[] = {
        {"write", "concurrent writes"}, {"read", "a read beside a write"}, {"iterate", "an iteration beside a write"}};
    for (const auto& [access, text] : accesses)
        for (int repeat = 0; repeat < 7; ++repeat) {
            SCOPED_TRACE(access);
            const Audited run = audit({GetParam(), access, "report", "101"});
            ASSERT_EQ(run.target.exit_code, 0) << run.target.err;
            ASSERT_EQ(run.auditor.exit_code, 0) << run.auditor.said();
            unsigned writer = 0, other = 0;
            ASSERT_EQ(std::sscanf(run.target.out.c_str(), "%u %u", &writer, &other), 2);
            EXPECT_THAT(run.auditor.said(), HasSubstr("raced(go_map): observed "));
            const std::string row = block_of(run.auditor.said(), text);
            const std::size_t writer_at = row.find("thread " + std::to_string(writer) + " in");
            const std::size_t other_at = row.find("thread " + std::to_string(other) + " in");
            ASSERT_NE(writer_at, std::string::npos) << run.auditor.said();
            ASSERT_NE(other_at, std::string::npos) << run.auditor.said();
            const std::string first = row.substr(std::min(writer_at, other_at),
                                                 std::max(writer_at, other_at) - std::min(writer_at, other_at));
            const std::string second = row.substr(std::max(writer_at, other_at));
            EXPECT_THAT(writer_at < other_at ? first : second, HasSubstr("race_writing (racing.cpp:")) << row;
            EXPECT_THAT(writer_at < other_at ? second : first, HasSubstr("race_beside (racing.cpp:")) << row;
        }
}

TEST_P(Races, AbortTellsBothSidesFirst) {
    const Audited run = audit({GetParam(), "write", "abort", "1"});
    EXPECT_EQ(run.target.signal, SIGABRT);
    EXPECT_THAT(run.target.err, HasSubstr("mapaudit: fatal: concurrent map writes on go_map \"raced\""));
    ASSERT_EQ(run.auditor.exit_code, 0) << run.auditor.said();
    EXPECT_THAT(run.auditor.said(), HasSubstr("raced(go_map): observed 1 time "));
    EXPECT_THAT(run.auditor.said(), HasSubstr("race_writing (racing.cpp:"));
    EXPECT_THAT(run.auditor.said(), HasSubstr("race_beside (racing.cpp:"));
}

INSTANTIATE_TEST_SUITE_P(Builds, Races, testing::Values("racing_with_frames", "racing_without_frames"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(Races, AMutexRoundTheMapLeavesNone) {
    const Audited run = audit({"guarded", "10000000"}, {"--fail-on-conflict"});
    ASSERT_EQ(run.auditor.exit_code, 0) << run.auditor.said();
    EXPECT_THAT(run.auditor.said(), HasSubstr("guarded(go_map): none in 10000000 operations"));
}

// Twenty threads on one lock, and the same on shards, below what the machine can take: a saturated one makes any lock's
// holders lose their CPU, and everybody waits for those.
TEST(Contention, OneLockAgainstShards) {
    const auto with_kind = [](const char* kind) {
        return run_audited({"--map", kind, "--threads", "20", "--ops", "600011", "--rate", "200000", "--read-ratio",
                            "0.8", "--keys", "100000", "--prefill", "100000"});
    };
    const AuditedRun one = with_kind("rwlock_map"), shards = with_kind("sharded_map");
    EXPECT_THAT(one.auditor.said(), HasSubstr("shard workload(rwlock_map)"));
    EXPECT_THAT(one.auditor.said(), HasSubstr("WAITING"));
    EXPECT_GT(waits_in(one.csv), 3 * waits_in(shards.csv)) << one.auditor.said() << shards.auditor.said();
    EXPECT_EQ(shards.auditor.said().find("shard workload"), std::string::npos) << shards.auditor.said();
}

}  // namespace
}  // namespace mapaudit::test
