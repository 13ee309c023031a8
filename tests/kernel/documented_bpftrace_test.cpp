// SPDX-License-Identifier: Apache-2.0
//
// The line of the documentation that hands a probe to bpftrace, run as it stands there.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/audited_run.hpp"
#include "support/child.hpp"

namespace mapaudit::test {
namespace {

// The lines of README.md and of docs/ that start with that.
std::vector<std::string> documented(const std::string& beginning) {
    std::vector<std::filesystem::path> pages{MAPAUDIT_SOURCE "/README.md"};
    for (const auto& page : std::filesystem::directory_iterator(MAPAUDIT_SOURCE "/docs"))
        if (page.path().extension() == ".md") pages.push_back(page.path());
    std::vector<std::string> lines;
    for (const auto& page : pages) {
        std::ifstream text(page);
        for (std::string line; std::getline(text, line);)
            if (line.starts_with(beginning)) lines.push_back(line);
    }
    return lines;
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

TEST(DocumentedBpftrace, SumOfAHistogram) {
    const std::string printed =
        "Attaching 1 probe...\n\n\n@ns: \n[0]                    3 |@@  |\n[32, 64)             262 |    |\n"
        "[128K, 1M)             0 |    |\n\n@other: \n[1]   5 |@@@|\n";
    EXPECT_EQ(sum_of_histogram(printed, "ns"), 265u);
    EXPECT_EQ(sum_of_histogram(printed, "other"), 5u);
    EXPECT_EQ(sum_of_histogram(printed, "none"), 0u);
}

// One thread: bpftrace reads, adds to and writes back a bucket of the CPU's own. A kernel that preempts a probe's
// program in between would let a second thread write over what the first has added.
TEST(DocumentedBpftrace, SeesEveryAssign) {
    const std::vector<std::string> lines = documented("bpftrace -e");
    ASSERT_EQ(lines.size(), 1u) << "each line that is documented is to be tested";
    const ScratchFolder scratch;
    std::filesystem::create_symlink(MAPAUDIT_WORKLOAD, scratch.file("server"));
    Child driver(waiting_workload({"--map", "mutex_map", "--threads", "1", "--ops", "200003", "--read-ratio", "0.5"}));
    ASSERT_TRUE(driver.wait_for("ready")) << driver.err();
    Child bpftrace({"sh", "-c", "cd '" + scratch.file("") + "' && exec " + lines.front()});
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
