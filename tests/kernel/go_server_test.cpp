// SPDX-License-Identifier: Apache-2.0
//
// nats-server, as Debian packages it (Go 1.19, classic maps, stripped), under load: every message arrives as without an
// auditor, and of the map that holds a connection's subscriptions the figures are known beforehand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "go_samples.hpp"
#include "support/audited_run.hpp"
#include "support/child.hpp"
#include "support/nats_server.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int subjects = 4999, messages = 3, rounds = 5;
// A classic map of Go doubles when it would exceed 6.5 elements a bucket.
constexpr int buckets = 1024, growths = 10;
static_assert(2 * subjects <= 13 * buckets && 2 * subjects > 13 * buckets / 2 && 1 << growths == buckets);

// At level events, growth; at level full, operations as well.
class GoServer : public testing::TestWithParam<bool> {};

TEST_P(GoServer, OfDebianUnderLoadIsRightAndItsFiguresAreExact) {
    const bool operations = GetParam();
    const std::string program = go_sample("go1.19");
    if (program.empty()) GTEST_SKIP() << "no nats-server: scripts/go_samples.sh " MAPAUDIT_GO_SAMPLES " fetches one";
    NatsServer server(program);
    const ScratchFolder scratch;
    std::vector<std::string> command{
        MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(server.pid()), "--csv", scratch.file("a.csv"), "--stacks",
        "--fail-on-loss", "-i",     "0.1"};
    command.insert(command.end(), {"--level", operations ? "full" : "events"});
    Child auditor(command);
    ASSERT_TRUE(auditor.wait_for("attached to")) << auditor.err();
    std::vector<TcpClient> subscribers;  // the one of the last round stays
    const auto expect_messages_arrive = [&] {
        TcpClient from = server.connect();
        EXPECT_TRUE(messages_arrive(from, subscribers.back(), subjects, messages));
    };
    for (int round = 0; round < rounds; ++round) {
        subscribers.push_back(subscriber(server, subjects));
        expect_messages_arrive();
        if (round + 1 < rounds) subscribers.pop_back();  // its subscriptions end with it
    }
    auditor.send(SIGINT);
    const Finished finished = auditor.finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    expect_messages_arrive();
    EXPECT_EQ(server.stop().signal, 0) << "it ends as it does without an auditor";

    const LedgerLine ledger = ledger_of(finished);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_EQ(ledger.lost, 0u);
    long of_subscriptions = 0, exact = 0, assigned = 0;
    for (const CsvRow& row : rows_of(read_csv(scratch.file("a.csv")), "total")) {
        SCOPED_TRACE(row.at("map_name"));
        EXPECT_THAT(row.at("map_name"), StartsWith("map["));
        EXPECT_EQ(row.at("map_kind"), "go classic");
        EXPECT_EQ(row.at("estimated"), "0");
        if (!operations) {
            EXPECT_EQ(row.at("op"), "grow") << "nobody has asked for more";
        }
        if (!row.at("map_name").starts_with("map[string]*server.subscription ")) continue;
        // A subscription is one assignment to its connection's map.
        if (row.at("op") == "assign" && row.at("size") == std::to_string(subjects) &&
            row.at("calls") == std::to_string(subjects))
            ++assigned;
        if (row.at("op") != "grow") continue;
        of_subscriptions += std::stol(row.at("grows"));
        if (row.at("size") == std::to_string(subjects) && row.at("buckets") == std::to_string(buckets) &&
            row.at("grows") == std::to_string(growths))
            ++exact;
    }
    EXPECT_GE(of_subscriptions, rounds * growths);
    EXPECT_GE(exact, 1) << "the last connection's subscriptions";
    EXPECT_EQ(assigned >= 1, operations);
    EXPECT_THAT(finished.said(), HasSubstr("nats-server/"));
}

INSTANTIATE_TEST_SUITE_P(Of, GoServer, testing::Bool(),
                         [](const auto& test) { return test.param ? "Operations" : "Growth"; });

}  // namespace
}  // namespace mapaudit::test
