// SPDX-License-Identifier: Apache-2.0
//
// Growth seen one by one: as many as the driver counted, each from the bucket count that the one before it left.
#include <gtest/gtest.h>

#include <thread>

#include "sources/usdt/usdt_source.hpp"
#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

struct GrowthRun {
    nlohmann::json driver;
    std::vector<sources::GrowEvent> events;
};

GrowthRun watch_growth(const std::vector<std::string>& workload, sources::Level level) {
    GrowthRun run;
    Child driver(waiting_workload(workload));
    if (!driver.wait_for("ready")) ADD_FAILURE() << driver.err();
    auto process = Process::open(driver.pid());
    EXPECT_TRUE(process) << process.error().line();
    auto source = sources::UsdtSource::attach(
        {&*process}, {level, false, [&](const sources::GrowEvent& grow) { run.events.push_back(grow); }});
    if (!source) {
        ADD_FAILURE() << source.error().line();
        return run;
    }
    model::Aggregator aggregator({});
    const Finished finished = driver.finish(Child::Seconds(120));
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    (*source)->detach(aggregator);
    run.driver = nlohmann::json::parse(finished.out);
    return run;
}

void expect_chains(const GrowthRun& run) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> buckets;  // of each map and part
    std::map<std::uint32_t, std::uint64_t> grows;
    for (const auto& grow : run.events) {
        ++grows[grow.map.id];
        const auto [known, first] = buckets.try_emplace({grow.map.id, grow.part}, grow.new_buckets);
        if (!first) {
            EXPECT_EQ(grow.old_buckets, known->second) << "map " << grow.map.id << " part " << grow.part;
        }
        known->second = grow.new_buckets;
        EXPECT_EQ(grow.new_buckets, grow.reason == MAPAUDIT_GROW_LOAD ? 2 * grow.old_buckets : grow.old_buckets);
    }
    for (const auto& map : run.driver.at("maps")) {
        const auto id = map.at("id").get<std::uint32_t>();
        EXPECT_EQ(grows[id], map.at("grows").get<std::uint64_t>()) << "map " << id;
        if (const auto last = buckets.find({id, 0}); buckets.count({id, 1}) == 0 && last != buckets.end()) {
            EXPECT_EQ(last->second, map.at("buckets").get<std::uint64_t>()) << "map " << id;
        }
    }
    EXPECT_FALSE(run.events.empty());
}

const std::vector<std::string> growing{"--threads", "3", "--ops", "300007", "--read-ratio", "0", "--keys", "200000"};

std::vector<std::string> with_kind(const char* kind, std::vector<std::string> extra = {}) {
    std::vector<std::string> workload{"--map", kind};
    workload.insert(workload.end(), growing.begin(), growing.end());
    workload.insert(workload.end(), extra.begin(), extra.end());
    return workload;
}

TEST(Growth, OfOneTable) { expect_chains(watch_growth(with_kind("mutex_map"), sources::Level::full)); }
TEST(Growth, OfShards) { expect_chains(watch_growth(with_kind("sharded_map"), sources::Level::full)); }
TEST(Growth, OfManyMaps) {
    expect_chains(watch_growth(with_kind("rwlock_map", {"--maps", "50"}), sources::Level::full));
}
TEST(Growth, AtTheEventsLevel) { expect_chains(watch_growth(with_kind("go_map"), sources::Level::events)); }

TEST(Growth, SameSizeWhenOverflowPilesUp) {
    Child target({std::string(MAPAUDIT_TARGETS) + "repacker"});
    ASSERT_TRUE(target.wait_for("ready")) << target.err();
    auto process = Process::open(target.pid());
    ASSERT_TRUE(process);
    std::vector<sources::GrowEvent> events;
    auto source = sources::UsdtSource::attach(
        {&*process}, {sources::Level::full, false, [&](const auto& grow) { events.push_back(grow); }});
    ASSERT_TRUE(source) << source.error().line();
    const Finished finished = target.finish();
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    model::Aggregator aggregator({});
    (*source)->detach(aggregator);
    unsigned long grows = 0, buckets = 0, same_size = 0;
    ASSERT_EQ(std::sscanf(finished.out.c_str(), "%lu %lu", &grows, &buckets), 2);
    ASSERT_EQ(events.size(), grows);
    for (std::size_t i = 0; i < events.size(); ++i) {
        const bool overflow = events[i].reason == MAPAUDIT_GROW_OVERFLOW;
        same_size += overflow;
        EXPECT_EQ(events[i].new_buckets, overflow ? events[i].old_buckets : 2 * events[i].old_buckets) << i;
        if (i > 0) {
            EXPECT_EQ(events[i].old_buckets, events[i - 1].new_buckets) << i;
        }
    }
    EXPECT_EQ(events.back().new_buckets, buckets);
    EXPECT_GT(same_size, 0u);
}

}  // namespace
}  // namespace mapaudit::test
