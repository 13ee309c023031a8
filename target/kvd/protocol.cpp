// SPDX-License-Identifier: Apache-2.0
#include "protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "item.hpp"

namespace kvd {
namespace {

constexpr std::string_view unknown = "ERROR";
constexpr std::string_view bad_format = "CLIENT_ERROR bad command line format";

using Words = std::span<const std::string_view>;

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (true) {
        const std::size_t start = line.find_first_not_of(' ');
        if (start == std::string_view::npos) return words;
        line.remove_prefix(start);
        const std::size_t length = std::min(line.find(' '), line.size());
        words.push_back(line.substr(0, length));
        line.remove_prefix(length);
    }
}

template <class Number>
std::optional<Number> number(std::string_view word) {
    Number n{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), n);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return n;
}

// In seconds; far more than any date, far less than what overflows as milliseconds.
std::optional<std::int64_t> time_in(std::string_view word) {
    constexpr std::int64_t most = std::int64_t{1} << 40;
    const auto seconds = number<std::int64_t>(word);
    return seconds && *seconds > -most && *seconds < most ? seconds : std::nullopt;
}

bool is_key(std::string_view word) { return word.size() <= max_key_bytes; }

// Takes a last word "noreply" off.
bool take_noreply(Words& words) {
    if (words.empty() || words.back() != "noreply") return false;
    words = words.first(words.size() - 1);
    return true;
}

// get <key>+
CommandLine parse_get(Verb verb, Words words) {
    if (words.empty()) return {Refusal{unknown}};
    if (!std::ranges::all_of(words, is_key)) return {Refusal{bad_format}};
    Request request{.verb = verb};
    request.keys.assign(words.begin(), words.end());
    return {std::move(request)};
}

// set <key> <flags> <exptime> <bytes> [noreply]; cas <key> <flags> <exptime> <bytes> <unique> [noreply]
CommandLine parse_store(Verb verb, Words words) {
    const std::size_t expected = verb == Verb::cas ? 5 : 4;
    const bool noreply = words.size() == expected + 1 && take_noreply(words);
    if (words.size() != expected) return {Refusal{unknown}};
    const auto bytes = number<std::uint64_t>(words[3]);
    if (!bytes) {
        const bool negative = number<std::int64_t>(words[3]).has_value();
        return {Refusal{negative ? "CLIENT_ERROR bad data chunk" : bad_format, noreply}};
    }
    const auto refused = [&](std::string_view line) {
        return CommandLine{Refusal{.line = line, .noreply = noreply}, true, *bytes};
    };
    const auto flags = number<std::uint32_t>(words[1]);
    const auto exptime = time_in(words[2]);
    const auto cas = verb == Verb::cas ? number<std::uint64_t>(words[4]) : 0;
    if (!is_key(words[0]) || !flags || !exptime || !cas) return refused(bad_format);
    if (*bytes > max_value_bytes) {
        CommandLine line = refused("SERVER_ERROR object too large for cache");
        if (verb == Verb::set) std::get<Refusal>(line.parsed).stale_key = words[0];
        return line;
    }
    return {Request{.verb = verb,
                    .keys = {std::string(words[0])},
                    .flags = *flags,
                    .exptime = *exptime,
                    .cas = *cas,
                    .noreply = noreply},
            true, *bytes};
}

// delete <key> [0] [noreply]: the 0 is what older clients send for a time that no server keeps any more.
CommandLine parse_delete(Verb verb, Words words) {
    const bool noreply = words.size() > 1 && take_noreply(words);
    if (words.empty()) return {Refusal{unknown}};
    if (words.size() > 2 || (words.size() == 2 && words[1] != "0"))
        return {Refusal{"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]", noreply}};
    if (!is_key(words[0])) return {Refusal{bad_format, noreply}};
    return {Request{.verb = verb, .keys = {std::string(words[0])}, .noreply = noreply}};
}

// incr <key> <delta> [noreply]
CommandLine parse_count(Verb verb, Words words) {
    const bool noreply = words.size() == 3 && take_noreply(words);
    if (words.size() != 2) return {Refusal{unknown}};
    if (!is_key(words[0])) return {Refusal{bad_format, noreply}};
    const auto delta = number<std::uint64_t>(words[1]);
    if (!delta) return {Refusal{"CLIENT_ERROR invalid numeric delta argument", noreply}};
    return {Request{.verb = verb, .keys = {std::string(words[0])}, .delta = *delta, .noreply = noreply}};
}

// touch <key> <exptime> [noreply]
CommandLine parse_touch(Verb verb, Words words) {
    const bool noreply = words.size() == 3 && take_noreply(words);
    if (words.size() != 2) return {Refusal{unknown}};
    if (!is_key(words[0])) return {Refusal{bad_format, noreply}};
    const auto exptime = time_in(words[1]);
    if (!exptime) return {Refusal{"CLIENT_ERROR invalid exptime argument", noreply}};
    return {Request{.verb = verb, .keys = {std::string(words[0])}, .exptime = *exptime, .noreply = noreply}};
}

// flush_all [delay] [noreply]; verbosity <level> [noreply]. "verbosity noreply" gets no reply although it lacks a
// level: so do memcached's own clients expect it.
CommandLine parse_one_number(Verb verb, Words words) {
    const bool noreply = take_noreply(words);
    if (words.size() > 1 || (words.empty() && verb == Verb::verbosity)) return {Refusal{unknown, noreply}};
    const auto value = words.empty() ? 0 : time_in(words[0]);
    if (!value) return {Refusal{bad_format, noreply}};
    return {Request{.verb = verb, .exptime = *value, .noreply = noreply}};
}

CommandLine parse_bare(Verb verb, Words words) {
    if (!words.empty()) return {Refusal{unknown}};
    return {Request{.verb = verb}};
}

struct Command {
    std::string_view name;
    Verb verb;
    CommandLine (*parse)(Verb verb, Words words);
};

constexpr std::array commands{
    Command{"get", Verb::get, parse_get},
    Command{"gets", Verb::gets, parse_get},
    Command{"set", Verb::set, parse_store},
    Command{"add", Verb::add, parse_store},
    Command{"replace", Verb::replace, parse_store},
    Command{"append", Verb::append, parse_store},
    Command{"prepend", Verb::prepend, parse_store},
    Command{"cas", Verb::cas, parse_store},
    Command{"delete", Verb::remove, parse_delete},
    Command{"incr", Verb::incr, parse_count},
    Command{"decr", Verb::decr, parse_count},
    Command{"touch", Verb::touch, parse_touch},
    Command{"flush_all", Verb::flush_all, parse_one_number},
    Command{"verbosity", Verb::verbosity, parse_one_number},
    Command{"stats", Verb::stats, parse_bare},
    Command{"version", Verb::version, parse_bare},
    Command{"quit", Verb::quit, parse_bare},
};

}  // namespace

CommandLine parse_command_line(std::string_view line) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.empty()) return {Refusal{unknown}};
    const auto found = std::ranges::find(commands, words[0], &Command::name);
    if (found == commands.end()) return {Refusal{unknown}};
    return found->parse(found->verb, Words(words).subspan(1));
}

}  // namespace kvd
