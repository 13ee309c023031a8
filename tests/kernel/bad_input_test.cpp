// SPDX-License-Identifier: Apache-2.0
//
// What cannot work: one clear line, the documented exit code, the target left as it was.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

void expect_refused(const Finished& finished, int exit_code, const std::string& word) {
    EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
    EXPECT_NE(finished.err.find(word), std::string::npos) << finished.err;
    EXPECT_EQ(finished.out, "");
}

std::string own_pid() { return std::to_string(::getpid()); }

TEST(BadInput, NoSuchProcess) {
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", "4194303"}), 3, "no process");
    expect_refused(run({MAPAUDIT_AUDITOR, "list", "4194303"}), 3, "no process");
}

TEST(BadInput, AProcessWithoutProbes) {
    Child bare({"sleep", "60"});
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(bare.pid())}), 3, "nothing to audit");
    expect_refused(run({MAPAUDIT_AUDITOR, "list", std::to_string(bare.pid())}), 3, "nothing to audit");
}

TEST(BadInput, AKernelThread) { expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", "2"}), 3, "nothing to audit"); }

TEST(BadInput, Usage) {
    expect_refused(run({MAPAUDIT_AUDITOR}), 2, "--help");
    expect_refused(run({MAPAUDIT_AUDITOR, "attach"}), 2, "--help");
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", "one"}), 2, "--help");
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", "-3"}), 2, "--help");
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", own_pid(), "--level", "all"}), 2, "level");
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", own_pid(), "-i", "0"}), 2, "interval");
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", own_pid(), "--sort", "beauty"}), 2, "beauty");
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", own_pid(), "--map", "("}), 2, "(");
    expect_refused(run({MAPAUDIT_AUDITOR, "frobnicate"}), 2, "--help");
}

TEST(BadInput, HelpAndVersionAreNoErrors) {
    const Finished help = run({MAPAUDIT_AUDITOR, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    for (const char* word : {"attach", "run", "list", "Exit status"})
        EXPECT_NE(help.out.find(word), std::string::npos) << word;
    EXPECT_EQ(run({MAPAUDIT_AUDITOR, "attach", "--help"}).exit_code, 0);
    EXPECT_EQ(run({MAPAUDIT_AUDITOR, "--version"}).exit_code, 0);
}

TEST(BadInput, ACsvThatCannotBeWrittenIsFoundBeforeAttaching) {
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "1", "--ops", "1009"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    const std::string pid = std::to_string(driver.pid());
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", pid, "--csv", "/no/such/folder/a.csv"}), 1,
                   "/no/such/folder/a.csv");
    expect_refused(run({MAPAUDIT_AUDITOR, "attach", "-p", pid, "--csv", "/dev/full"}), 1, "No space left");
    // The driver still waits: nothing was ever attached.
    EXPECT_EQ(::kill(driver.pid(), 0), 0);
    EXPECT_EQ(driver.out(), "");
}

TEST(BadInput, NoPrivilege) {
    if (::getuid() != 0) FAIL() << "the kernel tests need root";
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "1", "--ops", "1009"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    const std::string pid = std::to_string(driver.pid());
    const ScratchFolder scratch;
    // A copy where another user can reach it.
    const std::string copy = scratch.file("mapaudit");
    std::filesystem::copy_file(MAPAUDIT_AUDITOR, copy);
    std::filesystem::permissions(std::filesystem::path(copy).parent_path(), std::filesystem::perms::all);
    const Finished refused = run(
        {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", copy, "attach", "-p", pid});
    expect_refused(refused, 4, "CAP_BPF");
}

TEST(BadInput, RunOfACommandThatIsNotThere) {
    expect_refused(run({MAPAUDIT_AUDITOR, "run", "--", "/no/such/command"}), 1, "/no/such/command");
}

TEST(BadInput, RunOfACommandWithoutProbes) {
    expect_refused(run({MAPAUDIT_AUDITOR, "run", "--", "true"}), 3, "nothing to audit");
}

}  // namespace
}  // namespace mapaudit::test
