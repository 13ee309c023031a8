// SPDX-License-Identifier: Apache-2.0
#include "kvd_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "table.hpp"

namespace kvd {

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
    Options o;
    CLI::App app{
        "A memcached (text protocol, TCP) whose items are in an audited map.\n"
        "Prints \"ready port=PORT\" on stderr when clients can connect; SIGINT or SIGTERM ends it.\n"
        "Exit status: 0 done, 1 failed (port taken, ...), 2 usage.",
        "mapaudit-kvd"};
    app.add_option("--map", o.kind, "Map kind (--list names them)")->capture_default_str();
    app.add_option("--name", o.name, "The map's name under the auditor")->capture_default_str();
    app.add_option("--address", o.address, "IP address to listen on; there is no authentication")
        ->check(CLI::ValidIPV4 | CLI::IsMember({"::1", "::"}))
        ->capture_default_str();
    app.add_option("--port", o.port, "TCP port; 0: a free one")->check(CLI::Range(0, 65535))->capture_default_str();
    app.add_option("--threads", o.threads, "Threads that serve connections")
        ->check(CLI::Range(1u, 1024u))
        ->capture_default_str();
    app.add_option("--connections", o.max_connections, "More clients at once than this are refused")
        ->check(CLI::Range(1u, 1'000'000u))
        ->capture_default_str();
    app.add_option("--memory", o.memory_mib, "MiB that items may take; a write beyond it is refused")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32))
        ->capture_default_str();
    app.add_flag("--list", o.list, "Print the map kinds, one a line");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::cout << app.help();
        return exit_done;
    } catch (const CLI::ParseError& error) {
        std::cerr << "mapaudit-kvd: " << error.what() << " (--help shows the options)\n";
        return exit_usage;
    }
    const auto kinds = table_kinds();
    if (!o.list && std::ranges::find(kinds, o.kind) == kinds.end()) {
        std::cerr << "mapaudit-kvd: no map kind \"" << o.kind << "\" (--list names the kinds)\n";
        return exit_usage;
    }
    return o;
}

}  // namespace kvd
