// SPDX-License-Identifier: Apache-2.0
//
// The line of README.md that hands the probes to bpftrace, run as it stands there.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "support/audited_run.hpp"
#include "support/child.hpp"

namespace mapaudit::test {
namespace {

// The README's line that starts with that.
std::string line_of_readme(const std::string& beginning) {
    std::ifstream readme(MAPAUDIT_README);
    for (std::string line; std::getline(readme, line);)
        if (line.starts_with(beginning)) return line;
    return {};
}

// The sum of a histogram that bpftrace prints: "[64, 128)   26655 |@@@   |", a bucket a line.
std::uint64_t sum_of_histogram(const std::string& printed, const std::string& name) {
    const std::size_t at = printed.find("@" + name + ":");
    if (at == std::string::npos) return 0;
    std::istringstream lines(printed.substr(at));
    std::string line;
    std::getline(lines, line);  // the name's
    std::uint64_t sum = 0;
    while (std::getline(lines, line) && !line.empty()) {
        const std::size_t end = line.find_first_of(")]", 1);
        if (end == std::string::npos || line.find('|') == std::string::npos) break;
        sum += std::stoull(line.substr(end + 1));
    }
    return sum;
}

TEST(ReadmeBpftrace, SumOfAHistogram) {
    const std::string printed =
        "Attaching 1 probe...\n\n\n@ns: \n[0]                    3 |@@  |\n[32, 64)             262 |    |\n"
        "[128K, 1M)             0 |    |\n\n@other: \n[1]   5 |@@@|\n";
    EXPECT_EQ(sum_of_histogram(printed, "ns"), 265u);
    EXPECT_EQ(sum_of_histogram(printed, "other"), 5u);
    EXPECT_EQ(sum_of_histogram(printed, "none"), 0u);
}

// One thread: bpftrace reads, adds and writes back a bucket of the CPU's own, and since Linux 6.0 the kernel may
// preempt a probe's program there, so that of two threads on one CPU each could write over what the other has added.
TEST(ReadmeBpftrace, SeesEveryAssign) {
    const std::string line = line_of_readme("bpftrace -e");
    ASSERT_FALSE(line.empty()) << "README.md no longer has it";
    const ScratchFolder scratch;
    std::filesystem::create_symlink(MAPAUDIT_WORKLOAD, scratch.file("server"));
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "1", "--ops", "200003", "--read-ratio", "0.5"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    Child bpftrace({"sh", "-c", "cd '" + scratch.file("") + "' && exec " + line});
    const Finished driven = driver.finish();
    bpftrace.send(SIGINT);
    const Finished traced = bpftrace.finish();
    ASSERT_EQ(driven.exit_code, 0) << driven.err << traced.err;
    const auto assigns = nlohmann::json::parse(driven.out).at("ops").at("assign").get<std::uint64_t>();
    EXPECT_GT(assigns, 90'000u);
    EXPECT_EQ(sum_of_histogram(traced.out, "ns"), assigns) << traced.out << traced.err;
}

}  // namespace
}  // namespace mapaudit::test
