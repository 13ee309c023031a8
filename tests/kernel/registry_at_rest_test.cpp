// SPDX-License-Identifier: Apache-2.0
//
// What a process's registry says of its maps, read from outside once they are at rest, is what they say themselves: for
// every kind, after it has grown and shrunk under several threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sources/usdt/usdt_images.hpp"
#include "sources/usdt/usdt_registry.hpp"
#include "support/child.hpp"
#include "util/process.hpp"

namespace mapaudit::sources {
namespace {

using Json = nlohmann::json;

std::vector<std::string> kinds() {
    std::istringstream lines(test::run({MAPAUDIT_WORKLOAD, "--list"}).out);
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);) names.push_back(line);
    return names;
}

// The maps of `pid`, as they are described from outside.
std::vector<RegistryMap> described_maps(pid_t pid) {
    auto process = Process::open(pid);
    if (!process) throw std::runtime_error(process.error().line());
    auto images = find_images(*process);
    if (!images || images->size() != 1) throw std::runtime_error("not one image with probes");
    RegistryReader registry(*process, images->front().registry);
    auto in_use = registry.refresh();
    if (!in_use || !*in_use) throw std::runtime_error("the registry is not in use");
    return registry.maps(1'000);
}

void expect_same(const RegistryMap& outside, const Json& inside, const std::string& kind) {
    EXPECT_EQ(outside.kind, kind);
    EXPECT_EQ(outside.name, inside.at("name").get<std::string>());
    // A map of the standard library has no counter to read: it is described while somebody listens.
    if (kind == "unordered_map") return;
    EXPECT_EQ(outside.size, inside.at("size").get<std::uint64_t>());
    EXPECT_EQ(outside.buckets, inside.at("buckets").get<std::uint64_t>());
    EXPECT_EQ(outside.grows, inside.at("grows").get<std::uint64_t>());
    ASSERT_GT(outside.buckets.value_or(0), 0u);
    EXPECT_DOUBLE_EQ(static_cast<double>(*outside.size) / static_cast<double>(*outside.buckets),
                     inside.at("load_factor").get<double>());
    EXPECT_GT(*outside.size, 0u);
    EXPECT_GT(outside.grows.value_or(0), 0u);
}

TEST(RegistryAtRest, AgreesWithEveryMapOnItself) {
    const auto names = kinds();
    ASSERT_GE(names.size(), 11u);
    for (const std::string& kind : names) {
        SCOPED_TRACE(kind);
        test::Child workload(
            {MAPAUDIT_WORKLOAD, "--map", kind, "--threads", "3", "--maps", "3", "--ops", "60013", "--read-ratio", "0.1",
             "--erase-ratio", "0.3", "--keys", "9000", "--name", "at rest", "--json", "--hold"},
            test::Child::Input::pipe);
        const auto line = workload.read_line();
        ASSERT_TRUE(line.has_value());
        const Json report = Json::parse(*line);
        const auto maps = described_maps(workload.pid());
        ASSERT_EQ(maps.size(), 3u);
        for (const Json& inside : report.at("maps")) {
            const auto outside = std::ranges::find(maps, inside.at("id").get<std::uint32_t>(), &RegistryMap::id);
            ASSERT_NE(outside, maps.end()) << "map " << inside.at("id");
            expect_same(*outside, inside, kind);
        }
        workload.end_input();
        EXPECT_EQ(workload.finish().exit_code, 0);
    }
}

}  // namespace
}  // namespace mapaudit::sources
