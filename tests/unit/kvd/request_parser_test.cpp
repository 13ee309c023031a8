// SPDX-License-Identifier: Apache-2.0
//
// Bytes to commands, whole, cut anywhere, in a row, and wrong.
#include "request_parser.hpp"

#include <gtest/gtest.h>

#include "item.hpp"

namespace kvd {
namespace {

// What a command says, as text.
std::string told(const Parsed& parsed) {
    if (const auto* refusal = std::get_if<Refusal>(&parsed))
        return std::string(refusal->line) + (refusal->noreply ? " (silent)" : "") + (refusal->close ? " (close)" : "");
    const auto& r = std::get<Request>(parsed);
    constexpr const char* names[] = {"get",       "gets",  "set",     "add",       "replace", "append",
                                     "prepend",   "cas",   "delete",  "incr",      "decr",    "touch",
                                     "flush_all", "stats", "version", "verbosity", "quit"};
    std::string text = names[static_cast<int>(r.verb)];
    for (const std::string& key : r.keys) text += " " + key;
    text += " f" + std::to_string(r.flags) + " t" + std::to_string(r.exptime) + " c" + std::to_string(r.cas) + " d" +
            std::to_string(r.delta);
    if (!r.value.empty()) text += " =" + r.value;
    return text + (r.noreply ? " (silent)" : "");
}

std::vector<std::string> parse(const std::vector<std::string>& pieces) {
    RequestParser parser;
    std::vector<std::string> commands;
    for (const std::string& piece : pieces) {
        parser.feed(piece);
        while (const auto parsed = parser.next()) commands.push_back(told(*parsed));
    }
    return commands;
}

using Commands = std::vector<std::string>;

TEST(RequestParser, EveryCommand) {
    EXPECT_EQ(parse({"get a\r\ngets a bb ccc\r\n"
                     "set a 1 2 3\r\nxyz\r\nadd a 0 0 0\r\n\r\nreplace a 4294967295 -1 1 noreply\r\nx\r\n"
                     "append a 0 0 2\r\n\r\n\r\nprepend a 0 0 1\r\nx\r\n"
                     "cas a 1 2 3 18446744073709551615\r\nxyz\r\ncas a 0 0 1 7 noreply\r\nx\r\n"
                     "delete a\r\ndelete a noreply\r\ndelete a 0\r\ndelete a 0 noreply\r\ndelete noreply\r\n"
                     "incr a 5\r\ndecr a 6 noreply\r\ntouch a 60\r\ntouch a 60 noreply\r\n"
                     "flush_all\r\nflush_all 10\r\nflush_all noreply\r\nflush_all 10 noreply\r\n"
                     "stats\r\nversion\r\nverbosity 1\r\nverbosity 1 noreply\r\nquit\r\n"}),
              (Commands{"get a f0 t0 c0 d0",
                        "gets a bb ccc f0 t0 c0 d0",
                        "set a f1 t2 c0 d0 =xyz",
                        "add a f0 t0 c0 d0",
                        "replace a f4294967295 t-1 c0 d0 =x (silent)",
                        "append a f0 t0 c0 d0 =\r\n",
                        "prepend a f0 t0 c0 d0 =x",
                        "cas a f1 t2 c18446744073709551615 d0 =xyz",
                        "cas a f0 t0 c7 d0 =x (silent)",
                        "delete a f0 t0 c0 d0",
                        "delete a f0 t0 c0 d0 (silent)",
                        "delete a f0 t0 c0 d0",
                        "delete a f0 t0 c0 d0 (silent)",
                        "delete noreply f0 t0 c0 d0",
                        "incr a f0 t0 c0 d5",
                        "decr a f0 t0 c0 d6 (silent)",
                        "touch a f0 t60 c0 d0",
                        "touch a f0 t60 c0 d0 (silent)",
                        "flush_all f0 t0 c0 d0",
                        "flush_all f0 t10 c0 d0",
                        "flush_all f0 t0 c0 d0 (silent)",
                        "flush_all f0 t10 c0 d0 (silent)",
                        "stats f0 t0 c0 d0",
                        "version f0 t0 c0 d0",
                        "verbosity f0 t1 c0 d0",
                        "verbosity f0 t1 c0 d0 (silent)",
                        "quit f0 t0 c0 d0"}));
}

// A value may hold line ends and whole commands; where the bytes are cut makes no difference.
TEST(RequestParser, CutAnywhere) {
    const std::string text =
        "set key 7 0 17\r\nget x\r\nquit\r\n\r\nyz\r\nget key  other \r\nset a 0 0 x\r\nset b 0 0 2\r\nlonger\r\n"
        "set c 0 0 2 noreply\r\nxy\r\nversion\n";
    const Commands whole = parse({text});
    ASSERT_EQ(whole, (Commands{"set key f7 t0 c0 d0 =get x\r\nquit\r\n\r\nyz", "get key other f0 t0 c0 d0",
                               "CLIENT_ERROR bad command line format", "CLIENT_ERROR bad data chunk",
                               "set c f0 t0 c0 d0 =xy (silent)", "version f0 t0 c0 d0"}));
    for (std::size_t first = 0; first <= text.size(); ++first)
        for (std::size_t second = first; second <= text.size(); second += 7)
            ASSERT_EQ(parse({text.substr(0, first), text.substr(first, second - first), text.substr(second)}), whole)
                << "cut at " << first << " and " << second;
    Commands bytes;
    for (const char byte : text) bytes.push_back(std::string(1, byte));
    EXPECT_EQ(parse(bytes), whole);
}

TEST(RequestParser, WrongLines) {
    const std::string long_key(max_key_bytes + 1, 'k'), key(max_key_bytes, 'k');
    EXPECT_EQ(parse({"get " + key + "\r\n"}), Commands{"get " + key + " f0 t0 c0 d0"});
    const std::string bad = "CLIENT_ERROR bad command line format";
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"", "ERROR"},
        {"   ", "ERROR"},
        {"GET a", "ERROR"},
        {"nonsense", "ERROR"},
        {"get", "ERROR"},
        {"get a " + long_key, bad},
        {"set a 0 0", "ERROR"},
        {"set a 0 0 1 2 3", "ERROR"},
        {"set a 0 0 1 reply", "ERROR"},
        {"set a 0 0 -1", "CLIENT_ERROR bad data chunk"},
        {"set a 0 0 99999999999999999999", bad},
        {"set a 0 0 1x", bad},
        {"cas a 0 0 1", "ERROR"},
        {"delete", "ERROR"},
        {"delete a 5", "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]"},
        {"delete " + long_key, bad},
        {"incr a", "ERROR"},
        {"incr a -1", "CLIENT_ERROR invalid numeric delta argument"},
        {"incr a 18446744073709551616", "CLIENT_ERROR invalid numeric delta argument"},
        {"incr " + long_key + " 1 noreply", bad + " (silent)"},
        {"touch a", "ERROR"},
        {"touch a soon", "CLIENT_ERROR invalid exptime argument"},
        {"touch a 9223372036854775807", "CLIENT_ERROR invalid exptime argument"},
        {"flush_all soon", bad},
        {"verbosity", "ERROR"},
        {"verbosity noreply", "ERROR (silent)"},
        {"verbosity a b c", "ERROR"},
        {"version 1", "ERROR"},
        {"quit now", "ERROR"},
        {"stats items", "ERROR"},
    };
    for (const auto& [line, answer] : wrong)
        EXPECT_EQ(parse({line + "\r\nversion\r\n"}), (Commands{answer, "version f0 t0 c0 d0"})) << line;
}

// The data of a command that is refused is not taken for commands.
TEST(RequestParser, DataOfRefusedCommandsIsThrownAway) {
    const std::string long_key(max_key_bytes + 1, 'k'), bad = "CLIENT_ERROR bad command line format";
    for (const std::string& line :
         {"set " + long_key + " 0 0 11", std::string("set a x 0 11"), std::string("set a 0 x 11"),
          std::string("set a 4294967296 0 11"), std::string("cas a 0 0 11 x")})
        EXPECT_EQ(parse({line + "\r\nflush_all\r\n\r\nversion\r\n"}), (Commands{bad, "version f0 t0 c0 d0"})) << line;
}

TEST(RequestParser, WrongLengths) {
    const Commands bad{"CLIENT_ERROR bad data chunk", "version f0 t0 c0 d0"};
    EXPECT_EQ(parse({"set a 0 0 3\r\nabcflush_all\r\nversion\r\n"}), bad);
    EXPECT_EQ(parse({"set a 0 0 3\r\nabc\nversion\r\n"}), bad);
    EXPECT_EQ(parse({"set a 0 0 3\r\nabc\rx\r\nversion\r\n"}), bad);
    EXPECT_EQ(parse({"set a 0 0 3 noreply\r\nabcd\r\nversion\r\n"}),
              (Commands{"CLIENT_ERROR bad data chunk (silent)", "version f0 t0 c0 d0"}));
}

TEST(RequestParser, ValuesOfOneMebibyteAndMore) {
    const std::string value(max_value_bytes, 'v');
    EXPECT_EQ(parse({"set a 0 0 1048576\r\n" + value + "\r\nversion\r\n"}),
              (Commands{"set a f0 t0 c0 d0 =" + value, "version f0 t0 c0 d0"}));
    RequestParser parser;
    parser.feed("set a 0 0 1048577\r\n");
    EXPECT_FALSE(parser.next());
    for (std::size_t sent = 0; sent < max_value_bytes; sent += 4096) {
        parser.feed(std::string_view(value).substr(sent, 4096));
        EXPECT_FALSE(parser.next());
        ASSERT_LE(parser.buffered_bytes(), 4096u);
    }
    parser.feed("v\r\nversion\r\n");
    const auto refused = parser.next();
    ASSERT_TRUE(refused && std::holds_alternative<Refusal>(*refused));
    EXPECT_EQ(told(*refused), "SERVER_ERROR object too large for cache");
    EXPECT_EQ(std::get<Refusal>(*refused).stale_key, "a");
    const auto version = parser.next();
    ASSERT_TRUE(version);
    EXPECT_EQ(told(*version), "version f0 t0 c0 d0");
}

TEST(RequestParser, ALineWithoutEndIsGivenUp) {
    RequestParser parser;
    const std::string piece(4096, 'x');
    std::optional<Parsed> answer;
    std::size_t fed = 0;
    for (; !answer && fed < 2 * RequestParser::max_line_bytes; fed += piece.size()) {
        parser.feed(piece);
        answer = parser.next();
        ASSERT_LE(parser.buffered_bytes(), RequestParser::max_line_bytes + piece.size());
    }
    ASSERT_TRUE(answer);
    EXPECT_EQ(told(*answer), "CLIENT_ERROR line too long (close)");
    parser.feed("\r\nversion\r\n");
    EXPECT_FALSE(parser.next());
    EXPECT_EQ(parser.buffered_bytes(), 0u);
}

}  // namespace
}  // namespace kvd
