// SPDX-License-Identifier: Apache-2.0
//
// The server itself, over TCP: memcached's own capability test, many clients, bad ones, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <thread>

#include "support/kvd.hpp"
#include "table.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class EveryKind : public testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryKind, testing::ValuesIn(kvd::table_kinds()),
                         [](const auto& test) { return std::string(test.param); });

// Two threads: consecutive requests of a connection run on either.
TEST_P(EveryKind, PassesMemccapable) {
    KvdServer server({"--map", std::string(GetParam()), "--threads", "2"});
    const Finished result =
        run({"memccapable", "-h", "127.0.0.1", "-p", std::to_string(server.port()), "-a"}, Child::Seconds(100));
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out + result.err, HasSubstr("ascii set"));
    EXPECT_EQ(server.stop().exit_code, 0);
}

// Every connection is open before the first command, and stays so to the end.
TEST_P(EveryKind, TwoHundredConnectionsAtOnce) {
    constexpr int connections = 200, rounds = 11;
    KvdServer server({"--map", std::string(GetParam()), "--threads", "4"});
    std::vector<TcpClient> clients;
    for (int i = 0; i < connections; ++i) clients.emplace_back(server.port());
    EXPECT_EQ(clients[0].send("set sum 0 0 1\r\n0\r\n") ? clients[0].receive_until("\r\n") : "", "STORED\r\n");
    for (int round = 0; round < rounds; ++round) {
        const auto key = [](int client) { return "key" + std::to_string(client); };
        const auto value = [&](int client) { return std::string(client * 7 + round, 'a' + round) + "."; };
        for (int i = 0; i < connections; ++i)
            ASSERT_TRUE(clients[i].send("set " + key(i) + " " + std::to_string(i) + " 0 " +
                                        std::to_string(value(i).size()) + "\r\n" + value(i) + "\r\nincr sum 1\r\n"));
        for (int i = 0; i < connections; ++i) ASSERT_EQ(clients[i].receive_until("\r\n"), "STORED\r\n") << i;
        for (int i = 0; i < connections; ++i) clients[i].receive_until("\r\n");  // incr's: any number
        // Each asks for its neighbour's, all at once.
        for (int i = 0; i < connections; ++i) clients[i].send("get " + key((i + 1) % connections) + "\r\n");
        for (int i = 0; i < connections; ++i) {
            const int other = (i + 1) % connections;
            const std::string expected = "VALUE " + key(other) + " " + std::to_string(other) + " " +
                                         std::to_string(value(other).size()) + "\r\n" + value(other) + "\r\nEND\r\n";
            ASSERT_EQ(clients[i].receive(expected.size()), expected) << i;
        }
    }
    EXPECT_EQ(server.ask("incr sum 0\r\n", "\r\n"), std::to_string(connections * rounds) + "\r\n");
    clients[0].send("stats\r\n");
    const std::string stats = clients[0].receive_until("END\r\n");
    EXPECT_THAT(stats, HasSubstr("STAT total_connections 201\r\n"));
    EXPECT_THAT(stats, HasSubstr("STAT cmd_get " + std::to_string(connections * rounds) + "\r\n"));
    EXPECT_THAT(stats, HasSubstr("STAT get_misses 0\r\n"));
    EXPECT_EQ(server.stop().exit_code, 0);
}

TEST(Kvd, ListNamesTheKinds) {
    const Finished result = run({MAPAUDIT_KVD, "--list"});
    EXPECT_EQ(result.exit_code, 0);
    for (const std::string kind : {"mutex_map\n", "rwlock_map\n", "sharded_map\n"})
        EXPECT_THAT(result.out, HasSubstr(kind));
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(result.out, '\n')), kvd::table_kinds().size());
}

TEST(Kvd, UsageErrorsExitTwoWithOneLine) {
    const std::vector<std::vector<std::string>> wrong{
        {"--map", "no_such_map"}, {"--map", "go_map"},  {"--port", "65536"},
        {"--port", "-1"},         {"--threads", "0"},   {"--address", "localhost.example"},
        {"--memory", "0"},        {"--no-such-option"}, {"stray"}};
    for (std::vector<std::string> arguments : wrong) {
        SCOPED_TRACE(arguments.back());
        arguments.insert(arguments.begin(), MAPAUDIT_KVD);
        const Finished result = run(arguments);
        EXPECT_EQ(result.exit_code, 2);
        EXPECT_EQ(result.out, "");
        EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    }
}

TEST(Kvd, ATakenPortIsOneClearLine) {
    KvdServer server;
    const std::string port = std::to_string(server.port());
    const Finished result = run({MAPAUDIT_KVD, "--port", port});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err, "mapaudit-kvd: cannot listen on 127.0.0.1 port " + port + ": Address already in use\n");
}

TEST(Kvd, SignalsLetWhatWasAskedBeAnswered) {
    for (const int signal : {SIGINT, SIGTERM}) {
        KvdServer server;
        TcpClient idle(server.port()), busy(server.port());
        busy.send("set a 0 0 3\r\nabc\r\nget a\r\n");
        const std::string answer = "STORED\r\nVALUE a 0 3\r\nabc\r\nEND\r\n";
        EXPECT_EQ(busy.receive(8), "STORED\r\n");
        const Finished result = server.stop(signal);
        EXPECT_EQ(result.exit_code, 0);
        EXPECT_EQ(result.err, "ready port=" + std::to_string(server.port()) + "\n");
        EXPECT_EQ(busy.receive_all(), answer.substr(8));
        EXPECT_EQ(idle.receive_all(), "");
        EXPECT_FALSE(idle.timed_out());
    }
}

// A client that asks for far more than it reads, and never reads on, keeps nobody from ending.
TEST(Kvd, EndsBesideAClientThatDoesNotRead) {
    KvdServer server;
    TcpClient greedy(server.port());
    greedy.send("set a 0 0 1048576\r\n" + std::string(1 << 20, 'v') + "\r\n");
    ASSERT_EQ(greedy.receive_until("\r\n"), "STORED\r\n");
    std::string gets;
    for (int i = 0; i < 1000; ++i) gets += "get a a a a\r\n";
    ASSERT_TRUE(greedy.send(gets));
    EXPECT_EQ(server.ask("version\r\n", "\r\n").substr(0, 8), "VERSION ");
    // Four gigabytes were asked for.
    EXPECT_LT(server.resident_kib(), 100u << 10);
    EXPECT_EQ(server.stop().exit_code, 0);
}

TEST(Kvd, BadClientsAreAnsweredAndOthersServed) {
    KvdServer server({"--threads", "2"});
    TcpClient endless(server.port()), gone(server.port()), half(server.port());
    // The server stops reading at some point: what is sent beyond it may fail, the answer may not be missing.
    for (int i = 0; i < 64 && endless.send(std::string(4096, 'x')); ++i) {
    }
    EXPECT_EQ(endless.receive_until("\r\n"), "CLIENT_ERROR line too long\r\n");
    EXPECT_EQ(endless.receive_all(), "");
    EXPECT_FALSE(endless.timed_out());
    {
        TcpClient dropped(std::move(gone));
        dropped.send("get a\r\nset b 0 0 100\r\nnot all");
    }
    half.send("version\r\nget ");
    half.end_sending();
    EXPECT_THAT(half.receive_all(), StartsWith("VERSION "));
    EXPECT_EQ(server.ask("set a 0 0 1048577\r\n" + std::string(1048577, 'v') + "\r\n", "\r\n"),
              "SERVER_ERROR object too large for cache\r\n");
    EXPECT_EQ(server.ask("set c 0 0 1\r\nx\r\n", "\r\n"), "STORED\r\n");
    EXPECT_EQ(server.stop().exit_code, 0);
}

TEST(Kvd, MoreConnectionsThanAllowedAreRefused) {
    KvdServer server({"--connections", "2"});
    TcpClient first(server.port()), second(server.port());
    for (TcpClient* client : {&first, &second}) {
        client->send("version\r\n");
        EXPECT_THAT(client->receive_until("\r\n"), StartsWith("VERSION "));
    }
    TcpClient third(server.port());
    EXPECT_EQ(third.receive_all(), "SERVER_ERROR too many open connections\r\n");
    EXPECT_EQ(server.stop().exit_code, 0);
}

TEST(Kvd, OutOfFileDescriptorsItServesThoseWhoAreIn) {
    KvdServer server({}, 40);
    std::vector<TcpClient> clients;
    for (int i = 0; i < 60; ++i) clients.emplace_back(server.port());
    clients[0].send("set a 0 0 1\r\nx\r\n");
    EXPECT_EQ(clients[0].receive_until("\r\n"), "STORED\r\n");
    ASSERT_TRUE(server.child().wait_for("cannot accept a connection"));
    clients[0].send("get a\r\n");
    EXPECT_EQ(clients[0].receive_until("END\r\n"), "VALUE a 0 1\r\nx\r\nEND\r\n");
    clients.erase(clients.begin() + 1, clients.begin() + 50);
    // Those who waited come in now.
    clients.back().send("get a\r\n");
    EXPECT_EQ(clients.back().receive_until("END\r\n"), "VALUE a 0 1\r\nx\r\nEND\r\n");
    EXPECT_EQ(server.stop().exit_code, 0);
}

}  // namespace
}  // namespace mapaudit::test
