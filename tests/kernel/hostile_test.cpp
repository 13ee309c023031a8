// SPDX-License-Identifier: Apache-2.0
//
// Targets that lie, and targets that fork: nothing read from a process is trusted, nothing of a child is counted.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <sstream>

#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

std::string program(const char* name) { return std::string(MAPAUDIT_TARGETS) + name; }

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

bool has_control_bytes(const std::string& text) {
    return text.find_first_of(std::string("\033\007\x9b", 3)) != std::string::npos;
}

TEST(Hostile, ALyingTargetIsAuditedAllTheSame) {
    Child target({program("hostile")});
    ASSERT_TRUE(target.wait_for("ready")) << target.err();
    const ScratchFolder scratch;
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "--csv", scratch.file("a.csv"),
                   "--plain", "-i", "0.05", "-v"});
    ASSERT_TRUE(target.wait_for("lied")) << target.err() << auditor.err();
    ASSERT_TRUE(auditor.wait_for("assign")) << auditor.err();
    target.send(SIGTERM);
    EXPECT_EQ(target.finish().exit_code, 0);
    const Finished finished = auditor.finish();
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    // What was true is exact, what was not is lost with its cause, and both add up.
    EXPECT_EQ((audited_counts(read_csv(scratch.file("a.csv")))[{1, "assign"}]), 100'003u);
    const LedgerLine ledger = ledger_of(finished);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_GT(ledger.lost, 0u);
    for (const char* cause : {"malformed", "unreadable", "registry"})
        EXPECT_NE(finished.err.find(cause), std::string::npos) << cause << "\n" << finished.err;
    EXPECT_FALSE(has_control_bytes(finished.out));
    EXPECT_FALSE(has_control_bytes(finished.said()));
    EXPECT_FALSE(has_control_bytes(contents(scratch.file("a.csv"))));
}

TEST(Hostile, FailOnLossSaysSoWithItsExitCode) {
    Child target({program("hostile")});
    ASSERT_TRUE(target.wait_for("ready")) << target.err();
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "-q", "--fail-on-loss"});
    ASSERT_TRUE(target.wait_for("lied")) << target.err() << auditor.err();
    target.send(SIGTERM);
    const Finished finished = auditor.finish();
    EXPECT_EQ(finished.exit_code, 5) << finished.err;
    EXPECT_NE(finished.err.find("lost"), std::string::npos) << finished.err;
}

TEST(Hostile, AForkedChildIsNotCounted) {
    Child target({program("forker")});
    ASSERT_TRUE(target.wait_for("ready")) << target.err();
    const ScratchFolder scratch;
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "--csv", scratch.file("a.csv")});
    const Finished forked = target.finish();
    ASSERT_EQ(forked.exit_code, 0) << forked.err;
    const Finished finished = auditor.finish();
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ((audited_counts(read_csv(scratch.file("a.csv")))[{1, "assign"}]), std::stoull(forked.out));
}

TEST(Conflicts, AreCountedAndGateTheExitCode) {
    Child driver(waiting_workload({"--map", "go_map", "--threads", "4", "--ops", "3000017", "--read-ratio", "0.5",
                                   "--keys", "64", "--prefill", "64", "--on-conflict", "report"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(driver.pid()), "-q", "--fail-on-conflict"});
    driver.finish();
    const Finished finished = auditor.finish();
    EXPECT_EQ(finished.exit_code, 5) << finished.err;
    EXPECT_NE(finished.err.find("conflicting access observed"), std::string::npos) << finished.err;
}

}  // namespace
}  // namespace mapaudit::test
