// SPDX-License-Identifier: Apache-2.0
//
// A real server under audit: what clients asked of it over TCP is what the auditor counted in its map.
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "support/audited_run.hpp"
#include "support/kvd.hpp"

namespace mapaudit::test {
namespace {

constexpr int clients = 7, sets = 1009, gets = 2003, hit_every = 3, deletes = 101, appends = 211;

// Sets are an assign each, gets a look-up, deletes an erase, whether they find their key or not; an append is a look-up
// and an assign.
void converse(std::uint16_t port, int number) {
    TcpClient client(port);
    const std::string key = "client" + std::to_string(number) + "_";
    std::string questions, answers;
    const auto ask = [&](const std::string& question, const std::string& answer) {
        questions += question;
        answers += answer;
        if (questions.size() < 4000) return;  // some at a time, so that requests come cut anywhere
        ASSERT_TRUE(client.send(questions));
        ASSERT_EQ(client.receive(answers.size()), answers);
        questions.clear();
        answers.clear();
    };
    for (int i = 0; i < sets; ++i) ask("set " + key + std::to_string(i) + " 0 0 2\r\nxy\r\n", "STORED\r\n");
    for (int i = 0; i < gets; ++i) {
        const std::string name = key + std::to_string(i % hit_every == 0 ? i % sets : sets + i);
        ask("get " + name + "\r\n", i % hit_every == 0 ? "VALUE " + name + " 0 2\r\nxy\r\nEND\r\n" : "END\r\n");
    }
    for (int i = 0; i < appends; ++i) ask("append " + key + "0 0 0 1\r\nz\r\n", "STORED\r\n");
    for (int i = 0; i < deletes; ++i) ask("delete " + key + std::to_string(i) + "\r\n", "DELETED\r\n");
    for (int i = 0; i < deletes; ++i) ask("delete " + key + std::to_string(i) + "\r\n", "NOT_FOUND\r\n");
    client.send(questions);
    EXPECT_EQ(client.receive(answers.size()), answers);
}

// Who ends first: the auditor beside an idle server, whose threads still hold records, or the server.
class AuditedKvd : public testing::TestWithParam<std::tuple<const char*, bool>> {};

TEST_P(AuditedKvd, CountsAreTheClients) {
    const auto& [kind, server_first] = GetParam();
    const ScratchFolder scratch;
    KvdServer server({"--map", kind, "--threads", "3", "--name", "sessions"});
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(server.child().pid()), "--plain", "--csv",
                   scratch.file("audit.csv")});
    ASSERT_TRUE(auditor.wait_for("attached to ")) << auditor.err();
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < clients; ++i) threads.emplace_back(converse, server.port(), i);
    }
    if (!server_first) auditor.send(SIGINT);
    Finished audited;
    if (!server_first) audited = auditor.finish();
    const Finished served = server.stop();
    EXPECT_EQ(served.exit_code, 0) << served.err;
    if (server_first) audited = auditor.finish();
    ASSERT_EQ(audited.exit_code, 0) << audited.err;

    const auto csv = read_csv(scratch.file("audit.csv"));
    const CallCounts expected{{{1, "assign"}, clients * (sets + appends)},
                              {{1, "lookup"}, clients * (gets + appends)},
                              {{1, "erase"}, clients * 2 * deletes}};
    CallCounts counted = audited_counts(csv);
    std::erase_if(counted, [](const auto& entry) { return entry.first.second == "grow"; });
    EXPECT_EQ(counted, expected);
    for (const CsvRow& row : rows_of(csv, "total")) {
        EXPECT_EQ(row.at("map_name"), "sessions");
        EXPECT_EQ(row.at("map_kind"), kind);
        EXPECT_EQ(row.at("size"), std::to_string(clients * (sets - deletes)));
    }
    const LedgerLine ledger = ledger_of(audited);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_EQ(ledger.lost, 0u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, AuditedKvd,
                         testing::Combine(testing::Values("mutex_map", "sharded_map", "snapshot_map"), testing::Bool()),
                         [](const auto& test) {
                             return std::string(std::get<0>(test.param)) +
                                    (std::get<1>(test.param) ? "_server_ends_first" : "_auditor_ends_first");
                         });

}  // namespace
}  // namespace mapaudit::test
