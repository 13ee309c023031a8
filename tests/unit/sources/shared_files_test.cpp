// SPDX-License-Identifier: Apache-2.0
//
// Processes that run one file share what was parsed of it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "sources/go/go_process.hpp"
#include "sources/usdt/usdt_images.hpp"
#include "support/audited_run.hpp"
#include "support/child.hpp"
#include "unit/sources/other_tools.hpp"
#include "util/process.hpp"

namespace mapaudit::sources {
namespace {

// A program of ours that has its maps, and waits.
class Waiting {
public:
    explicit Waiting(const std::string& program)
        : child_({program, "--map", "mutex_map", "--threads", "1", "--ops", "1", "--wait-attach", "60"}) {
        EXPECT_TRUE(child_.wait_for("ready")) << child_.err();
    }
    std::vector<UsdtImage> images(ProbeFiles& files) const {
        const auto process = Process::open(child_.pid());
        if (!process) return {};
        auto found = find_images(*process, files);
        EXPECT_TRUE(found) << found.error().line();
        return found ? *found : std::vector<UsdtImage>();
    }

private:
    test::Child child_;
};

// A program held at its first instruction, so that it stays there for as long as it is looked at.
class Held {
public:
    explicit Held(const std::string& program) : pid_(::fork()) {
        if (pid_ == 0) {
            if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0)
                ::execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
            ::_exit(127);
        }
        int status = 0;
        EXPECT_GT(pid_, 0) << "cannot fork";
        EXPECT_TRUE(::waitpid(pid_, &status, 0) == pid_ && WIFSTOPPED(status)) << program;
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() {
        if (pid_ <= 0) return;  // kill(-1) would be everybody
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    pid_t pid() const { return pid_; }

private:
    pid_t pid_;
};

TEST(SharedFiles, TwoProcessesOfOneFileHaveItsProbesParsedOnce) {
    const Waiting one(MAPAUDIT_WORKLOAD), two(MAPAUDIT_WORKLOAD);
    ProbeFiles files;
    const auto first = one.images(files);
    const std::size_t parsed = files.size();
    EXPECT_GT(parsed, 1u) << "the C library is looked at too";
    const auto second = two.images(files);
    EXPECT_EQ(files.size(), parsed) << "the second has nothing that the first had not";
    ASSERT_EQ(first.size(), 1u);
    ASSERT_EQ(second.size(), 1u);
    EXPECT_EQ(first[0].probes, second[0].probes) << "one and the same";
    EXPECT_EQ(first[0].probes->sites.size(), read_probes(MAPAUDIT_WORKLOAD)->sites.size());
}

TEST(SharedFiles, AReplacedFileHasItsProbesParsedAnew) {
    const test::ScratchFolder folder;
    const std::string program = folder.file("program");
    std::filesystem::copy_file(MAPAUDIT_WORKLOAD, program);
    const Waiting one(program);
    std::filesystem::copy_file(MAPAUDIT_WORKLOAD, folder.file("new"));
    std::filesystem::rename(folder.file("new"), program);
    const Waiting two(program);
    ProbeFiles files;
    const auto second = two.images(files);
    const std::size_t parsed = files.size();
    const auto first = one.images(files);  // runs what the name no longer leads to
    EXPECT_EQ(files.size(), parsed + 1);
    ASSERT_EQ(first.size(), 1u);
    ASSERT_EQ(second.size(), 1u);
    EXPECT_NE(first[0].probes, second[0].probes);
    EXPECT_EQ(first[0].probes->sites.size(), second[0].probes->sites.size());
}

TEST(SharedFiles, TwoProcessesOfOneGoProgramHaveItParsedOnce) {
    const Held one(go_program("plain")), two(go_program("plain")), other(go_program("plain_bare")), none("/bin/true");
    GoFiles files;
    const auto find = [&](const Held& held) {
        // Outlives what is found, as GoProcess::find asks.
        static std::vector<std::unique_ptr<Process>> processes;
        auto process = Process::open(held.pid());
        EXPECT_TRUE(process);
        processes.push_back(std::make_unique<Process>(std::move(*process)));
        auto found = GoProcess::find(*processes.back(), files);
        EXPECT_TRUE(found) << found.error().line();
        return found ? std::move(*found) : nullptr;
    };
    auto first = find(one);
    EXPECT_EQ(files.size(), 1u);
    const auto second = find(two);
    EXPECT_EQ(files.size(), 1u);
    ASSERT_TRUE(first != nullptr && second != nullptr);
    EXPECT_EQ(&first->binary(), &second->binary()) << "one and the same";
    const auto third = find(other);
    EXPECT_EQ(files.size(), 2u);
    ASSERT_NE(third, nullptr);
    EXPECT_NE(&third->binary(), &second->binary());
    EXPECT_EQ(find(none), nullptr);
    EXPECT_EQ(files.size(), 3u) << "that it is no Go program is known of it now";
    EXPECT_EQ(find(none), nullptr);
    EXPECT_EQ(files.size(), 3u);

    // What is shared does not hang on the process that came first, nor on the cache.
    first.reset();
    files = GoFiles();
    ASSERT_FALSE(second->binary().functions().empty());
    EXPECT_TRUE(second->binary().line_of(second->binary().functions().front().entry));
}

}  // namespace
}  // namespace mapaudit::sources
