// SPDX-License-Identifier: Apache-2.0
//
// The command line of mapaudit-kvd.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace kvd {

inline constexpr int exit_done = 0, exit_failed = 1, exit_usage = 2;

struct Options {
    std::string kind = "mutex_map";
    std::string name = "items";  // the map's, under the auditor
    std::string address = "127.0.0.1";
    std::uint16_t port = 11211;  // 0: a free one
    unsigned threads = 4;
    unsigned max_connections = 1024;
    std::uint64_t memory_mib = 1024;
    bool list = false;
};

// What to do: a server, or to end at once with an exit code (after --help, or a usage error already printed).
std::variant<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace kvd
