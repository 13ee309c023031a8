// SPDX-License-Identifier: Apache-2.0
//
// The program itself: what it prints, and what it exits with.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "kinds.hpp"
#include "support/child.hpp"

namespace mapaudit::workload {
namespace {

using Json = nlohmann::json;
using test::Finished;

Finished workload(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), MAPAUDIT_WORKLOAD);
    return test::run(arguments);
}

std::uint64_t sum(const Json& ops) {
    return ops.at("assign").get<std::uint64_t>() + ops.at("lookup").get<std::uint64_t>() +
           ops.at("erase").get<std::uint64_t>();
}

TEST(Program, ListNamesEveryKindOnALine) {
    const Finished result = workload({"--list"});
    EXPECT_EQ(result.exit_code, 0);
    std::istringstream lines(result.out);
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);) names.push_back(line);
    ASSERT_EQ(names.size(), all_kinds().size());
    for (const char* name : {"go_map", "mutex_map", "rwlock_map", "sharded_map"})
        EXPECT_NE(std::ranges::find(names, name), names.end()) << name;
}

TEST(Program, JsonIsTheWholeOfStdout) {
    for (const Kind& kind : all_kinds()) {
        SCOPED_TRACE(kind.name);
        const Finished result =
            workload({"--map", std::string(kind.name), "--threads", "3", "--ops", "30011", "--maps", "4",
                      "--erase-ratio", "0.2", "--keys", "3000", "--name", "sessions", "--time-ops", "--json"});
        ASSERT_EQ(result.exit_code, 0) << result.err;
        EXPECT_EQ(result.err, "");
        const Json json = Json::parse(result.out);
        EXPECT_EQ(json.at("kind"), kind.name);
        EXPECT_EQ(json.at("threads"), 3);
        EXPECT_EQ(sum(json.at("ops")), 30011u);
        EXPECT_GT(json.at("seconds").get<double>(), 0.0);
        EXPECT_NEAR(json.at("ops_per_s").get<double>() * json.at("seconds").get<double>(), 30011, 0.1);
        const Json& maps = json.at("maps");
        ASSERT_EQ(maps.size(), 4u);
        std::uint64_t ops = 0, grows = 0;
        for (std::size_t i = 0; i < maps.size(); ++i) {
            EXPECT_EQ(maps[i].at("name"), i == 0 ? "sessions" : "sessions-" + std::to_string(i));
            EXPECT_GT(maps[i].at("id").get<unsigned>(), 0u);
            EXPECT_GT(maps[i].at("size").get<unsigned>(), 0u);
            EXPECT_GT(maps[i].at("buckets").get<unsigned>(), 0u);
            ops += sum(maps[i].at("ops"));
            grows += maps[i].at("grows").get<std::uint64_t>();
        }
        EXPECT_EQ(ops, 30011u);
        EXPECT_EQ(json.at("grows"), grows);
        EXPECT_GT(grows, 0u);
        for (const char* op : {"assign", "lookup", "erase"}) {
            const Json& latency = json.at("latency_ns").at(op);
            EXPECT_GT(latency.at("p50").get<double>(), 0.0);
            EXPECT_LE(latency.at("p50"), latency.at("p90"));
            EXPECT_LE(latency.at("p90"), latency.at("p99"));
            EXPECT_LE(latency.at("p99"), latency.at("p999"));
            EXPECT_LE(latency.at("p999"), latency.at("max"));
        }
    }
}

TEST(Program, BucketsHoldEveryOperationOfAMap) {
    for (const Kind& kind : all_kinds()) {
        SCOPED_TRACE(kind.name);
        const Json json = Json::parse(workload({"--map", std::string(kind.name), "--threads", "3", "--ops", "30011",
                                                "--own-maps", "--time-ops", "--json"})
                                          .out);
        ASSERT_EQ(json.at("maps").size(), 3u);
        for (const Json& map : json.at("maps")) {
            for (const auto& [op, calls] : map.at("ops").items()) {
                std::uint64_t counted = 0;
                double end = 0;
                for (const Json& bucket : map.at("latency_buckets_ns").at(op)) {
                    EXPECT_GE(bucket.at(0).get<double>(), end);
                    end = bucket.at(1).get<double>();
                    EXPECT_LT(bucket.at(0).get<double>(), end);
                    counted += bucket.at(2).get<std::uint64_t>();
                    EXPECT_EQ(bucket.at(3), 0) << "nobody audits";
                }
                EXPECT_EQ(counted, calls.get<std::uint64_t>()) << op;
            }
        }
    }
}

TEST(Program, BucketsAreAMapsOnlyWhereAThreadHasOneMap) {
    const Finished result =
        workload({"--map", "mutex_map", "--threads", "2", "--maps", "2", "--ops", "1009", "--time-ops", "--json"});
    for (const Json& map : Json::parse(result.out).at("maps")) EXPECT_FALSE(map.contains("latency_buckets_ns"));
}

TEST(Program, UntimedReportHasNoLatency) {
    const Finished result = workload({"--map", "mutex_map", "--ops", "10", "--json"});
    EXPECT_FALSE(Json::parse(result.out).contains("latency_ns"));
}

TEST(Program, PrefillGrowsAreNotTheLoads) {
    const Finished result =
        workload({"--map", "mutex_map", "--ops", "1000", "--read-ratio", "1", "--prefill", "10000", "--json"});
    const Json json = Json::parse(result.out);
    EXPECT_EQ(json.at("grows"), 0);
    EXPECT_EQ(json.at("maps")[0].at("size"), 10000);
    EXPECT_EQ(json.at("ops").at("assign"), 0);
}

TEST(Program, SameSeedSameCounts) {
    const std::vector<std::string> arguments{"--map", "mutex_map", "--ops", "10007",  "--threads", "2",     "--maps",
                                             "3",     "--dist",    "zipf",  "--seed", "5",         "--json"};
    const Json a = Json::parse(workload(arguments).out), b = Json::parse(workload(arguments).out);
    EXPECT_EQ(a.at("maps"), b.at("maps"));
}

TEST(Program, UsageErrorsExitTwoWithOneLine) {
    const std::vector<std::vector<std::string>> wrong{
        {},
        {"--map", "no_such_map", "--ops", "1"},
        {"--map", "mutex_map"},
        {"--map", "mutex_map", "--ops", "1", "--duration", "1"},
        {"--map", "mutex_map", "--ops", "-5"},
        {"--map", "mutex_map", "--ops", "1", "--threads", "0"},
        {"--map", "mutex_map", "--ops", "1", "--read-ratio", "1.5"},
        {"--map", "mutex_map", "--ops", "1", "--dist", "gauss"},
        {"--map", "mutex_map", "--ops", "1", "--keys", "0"},
        {"--map", "mutex_map", "--ops", "1", "--on-conflict", "report"},
        {"--map", "go_map", "--ops", "1", "--on-conflict", "ignore"},
        {"--no-such-option"},
    };
    for (const auto& arguments : wrong) {
        std::string line;
        for (const auto& argument : arguments) line += argument + ' ';
        SCOPED_TRACE(line);
        const Finished result = workload(arguments);
        EXPECT_EQ(result.exit_code, 2);
        EXPECT_EQ(result.out, "");
        EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    }
}

TEST(Program, NobodyAttachesExitsThree) {
    const Finished result = workload({"--map", "mutex_map", "--ops", "1", "--wait-attach", "0.1", "--json"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("nobody attached"), std::string::npos) << result.err;
}

TEST(Program, ReadyLineNamesItsPid) {
    test::Child child({MAPAUDIT_WORKLOAD, "--map", "mutex_map", "--ops", "1", "--wait-attach", "30", "--json"});
    ASSERT_TRUE(child.wait_for("ready pid=" + std::to_string(child.pid()) + "\n"));
    child.send(SIGTERM);
    const Finished result = child.finish();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(sum(Json::parse(result.out).at("ops")), 0u);
}

// How long the threads beside a process's main one have run. Not how many there are: a sanitizer has one of its own.
double others_cpu_s(pid_t pid) {
    double ticks = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
        if (task.path().filename() == std::to_string(pid)) continue;
        std::ifstream file(task.path() / "stat");
        std::string stat{std::istreambuf_iterator<char>(file), {}};
        std::istringstream fields(stat.substr(stat.rfind(')') + 1));
        const std::vector<std::string> all{std::istream_iterator<std::string>(fields), {}};
        ticks += std::stod(all.at(11)) + std::stod(all.at(12));  // utime and stime; the third of all fields is all[0]
    }
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

TEST(Program, SignalsEndTheLoadAndItIsReported) {
    for (const int signal : {SIGINT, SIGTERM}) {
        // Blocks SIGINT and SIGTERM before the first map operation, so a signal may be sent at any time after that.
        test::Child child({MAPAUDIT_WORKLOAD, "--map", "mutex_map", "--duration", "60", "--threads", "2", "--json"});
        while (others_cpu_s(child.pid()) < 0.05) std::this_thread::yield();  // until the workers are at work
        child.send(signal);
        const Finished result = child.finish(test::Child::Seconds(30));
        EXPECT_EQ(result.exit_code, 0) << result.err;
        const Json json = Json::parse(result.out);
        EXPECT_GT(sum(json.at("ops")), 0u);
        EXPECT_LT(json.at("seconds").get<double>(), 30.0);
    }
}

TEST(Program, StrangeNamesStayValidJson) {
    const Finished result = workload({"--map", "mutex_map", "--ops", "1", "--name", "a\"\\\x1b[31m\xff,\n", "--json"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(std::ranges::count(result.out, '\n'), 1);
    EXPECT_EQ(Json::parse(result.out).at("maps")[0].at("name").get<std::string>().substr(0, 3), "a\"\\");
}

}  // namespace
}  // namespace mapaudit::workload
