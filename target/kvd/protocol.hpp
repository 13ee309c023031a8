// SPDX-License-Identifier: Apache-2.0
//
// A command of memcached's text protocol, as read from its first line. Pure: no sockets, no store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kvd {

enum class Verb {
    get,
    gets,
    set,
    add,
    replace,
    append,
    prepend,
    cas,
    remove,  // "delete"
    incr,
    decr,
    touch,
    flush_all,
    stats,
    version,
    verbosity,
    quit,
};

struct Request {
    Verb verb{};
    std::vector<std::string> keys{};  // of get and gets at least one; of other commands with a key exactly one
    std::uint32_t flags = 0;
    std::int64_t exptime = 0;  // as it stands there; flush_all's delay too
    std::uint64_t cas = 0;
    std::uint64_t delta = 0;  // of incr and decr
    bool noreply = false;
    std::string value{};
};

// A command that is not carried out.
struct Refusal {
    std::string_view line;  // the answer, without its line end; always a literal
    bool noreply = false;
    bool close = false;       // nothing after it can be understood
    std::string stale_key{};  // a set's that is refused for its size: what is stored there must not outlive it
};

using Parsed = std::variant<Request, Refusal>;

// A command's first line, and how many bytes of data (and a line end) come after it. A refused command's data is to be
// thrown away, lest it be taken for commands.
struct CommandLine {
    Parsed parsed;
    bool has_data = false;
    std::uint64_t data_bytes = 0;
};

// `line` is without its line end. Keys have at most max_key_bytes, data at most max_value_bytes.
CommandLine parse_command_line(std::string_view line);

}  // namespace kvd
