// SPDX-License-Identifier: Apache-2.0
//
// Conversations, against text written by hand.
#include "session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvd {
namespace {

class Conversation : public testing::Test {
protected:
    // The whole answer to `bytes`.
    std::string says(std::string_view bytes) {
        std::string all, out;
        session.receive(bytes);
        do {
            next = session.run(out);
            most = std::max(most, out.size());
            all += std::exchange(out, {});
        } while (next == Session::Next::run);
        return all;
    }

    Clock clock;
    Store store{make_table("mutex_map", "items"), 64 << 20, clock};
    Statistics statistics;
    Session session{store, statistics};
    Session::Next next{};
    std::size_t most = 0;  // bytes that run() gave at once
};

TEST_F(Conversation, StoreAndFetch) {
    EXPECT_EQ(says("set a 5 0 3\r\nabc\r\n"), "STORED\r\n");
    EXPECT_EQ(says("get a b a\r\n"), "VALUE a 5 3\r\nabc\r\nVALUE a 5 3\r\nabc\r\nEND\r\n");
    EXPECT_EQ(says("gets a\r\n"), "VALUE a 5 3 1\r\nabc\r\nEND\r\n");
    EXPECT_EQ(says("cas a 0 0 1 1\r\nx\r\ncas a 0 0 1 1\r\ny\r\ncas b 0 0 1 1\r\nz\r\n"),
              "STORED\r\nEXISTS\r\nNOT_FOUND\r\n");
    EXPECT_EQ(
        says("add a 0 0 1\r\n1\r\nreplace b 0 0 1\r\n1\r\nappend a 0 0 2\r\nyz\r\nprepend a 0 0 1\r\nw\r\nget a\r\n"),
        "NOT_STORED\r\nNOT_STORED\r\nSTORED\r\nSTORED\r\nVALUE a 0 4\r\nwxyz\r\nEND\r\n");
    EXPECT_EQ(says("touch a 10\r\ntouch b 10\r\ndelete a\r\ndelete a\r\n"),
              "TOUCHED\r\nNOT_FOUND\r\nDELETED\r\nNOT_FOUND\r\n");
    EXPECT_EQ(next, Session::Next::read);
}

TEST_F(Conversation, Numbers) {
    EXPECT_EQ(says("incr n 1\r\nset n 0 0 2\r\n41\r\nincr n 1\r\ndecr n 50\r\nset n 0 0 1\r\nx\r\nincr n 1\r\n"),
              "NOT_FOUND\r\nSTORED\r\n42\r\n0\r\nSTORED\r\n"
              "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n");
}

TEST_F(Conversation, NoreplyIsSilent) {
    EXPECT_EQ(says("set n 0 0 1 noreply\r\n1\r\nadd n 0 0 1 noreply\r\n2\r\nreplace n 0 0 1 noreply\r\n3\r\n"
                   "append n 0 0 1 noreply\r\n4\r\nprepend n 0 0 1 noreply\r\n2\r\ncas n 0 0 1 9 noreply\r\n5\r\n"
                   "incr n 6 noreply\r\ndecr n 1 noreply\r\ntouch n 0 noreply\r\ndelete x noreply\r\n"
                   "verbosity 1 noreply\r\nset n 0 0 1 noreply\r\ntoo long\r\nset n x 0 1 noreply\r\n1\r\n"
                   "get n\r\nflush_all noreply\r\nget n\r\n"),
              "VALUE n 0 3\r\n239\r\nEND\r\nEND\r\n");
}

TEST_F(Conversation, OtherCommands) {
    EXPECT_EQ(says("version\r\nverbosity 1\r\nflush_all\r\nflush_all 0\r\n\r\nwhat\r\n"),
              "VERSION " MAPAUDIT_VERSION "\r\nOK\r\nOK\r\nOK\r\nERROR\r\nERROR\r\n");
    EXPECT_EQ(says("quit\r\nversion\r\n"), "");
    EXPECT_EQ(next, Session::Next::close);
}

TEST_F(Conversation, TooLargeAValueLeavesNoOldOne) {
    says("set a 0 0 1\r\n1\r\nset b 0 0 1\r\n1\r\n");
    const std::string large = std::string(max_value_bytes + 1, 'v') + "\r\n";
    EXPECT_EQ(says("set a 0 0 1048577\r\n" + large + "add b 0 0 1048577\r\n" + large + "get a b\r\n"),
              "SERVER_ERROR object too large for cache\r\nSERVER_ERROR object too large for cache\r\n"
              "VALUE b 0 1\r\n1\r\nEND\r\n");
}

TEST_F(Conversation, AfterAnEndlessLineItCloses) {
    EXPECT_EQ(says(std::string(RequestParser::max_line_bytes + 1, 'x')), "CLIENT_ERROR line too long\r\n");
    EXPECT_EQ(next, Session::Next::close);
}

// A short request may ask for gigabytes: they come a value at a time.
TEST_F(Conversation, LargeRepliesComeInPieces) {
    says("set a 0 0 1048576\r\n" + std::string(max_value_bytes, 'v') + "\r\n");
    const std::string keys = "get a a a a a a a a a a\r\n";
    const std::string answer = says(keys + keys + "version\r\n");
    EXPECT_EQ(answer.size(), 20 * (max_value_bytes + 21) + 2 * 5 + 10 + std::string(MAPAUDIT_VERSION).size());
    EXPECT_LE(most, max_value_bytes + Session::enough_bytes + 100);
}

TEST_F(Conversation, StatsCountWhatHappened) {
    says(
        "set a 0 0 1\r\n1\r\nget a b c\r\nincr a 1\r\ndecr x 1\r\ntouch a 0\r\ndelete x\r\ncas a 0 0 1 99\r\n1\r\n"
        "flush_all 100\r\n");
    statistics.map_kind = "mutex_map";
    const std::string stats = says("stats\r\n");
    for (const char* line : {"cmd_get 3", "cmd_set 2", "cmd_flush 1", "cmd_touch 1", "get_hits 1", "get_misses 2",
                             "incr_hits 1", "incr_misses 0", "decr_misses 1", "touch_hits 1", "delete_misses 1",
                             "cas_badval 1", "curr_items 1", "total_items 2", "map_kind mutex_map"})
        EXPECT_THAT(stats, testing::HasSubstr("STAT " + std::string(line) + "\r\n"));
    EXPECT_TRUE(stats.ends_with("\r\nEND\r\n"));
}

}  // namespace
}  // namespace kvd
