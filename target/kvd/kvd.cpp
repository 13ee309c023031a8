// SPDX-License-Identifier: Apache-2.0
//
// mapaudit-kvd: a small memcached on an audited map.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "kvd_options.hpp"
#include "server.hpp"
#include "table.hpp"

namespace {

using namespace kvd;

int run(const Options& options) {
    if (options.list) {
        for (const std::string_view kind : table_kinds()) std::cout << kind << '\n';
        std::cout.flush();
        return std::cout ? exit_done : exit_failed;
    }
    const Clock clock;
    Store store(make_table(options.kind, options.name), options.memory_mib << 20, clock);
    Statistics statistics;
    statistics.threads = options.threads;
    statistics.max_connections = options.max_connections;
    statistics.map_kind = options.kind;
    Server server(store, statistics);
    if (const auto failure = server.listen({options.address, options.port})) {
        std::cerr << "mapaudit-kvd: " << *failure << '\n';
        return exit_failed;
    }
    std::cerr << "ready port=" << server.port() << std::endl;
    server.run();
    return exit_done;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        spdlog::set_default_logger(spdlog::stderr_logger_mt("mapaudit-kvd"));
        std::signal(SIGPIPE, SIG_IGN);  // whoever read stderr may go before the server does
        const auto parsed = parse_options(argc, argv);
        if (const int* code = std::get_if<int>(&parsed)) return *code;
        return run(std::get<Options>(parsed));
    } catch (const std::exception& error) {
        std::cerr << "mapaudit-kvd: " << error.what() << '\n';
        return exit_failed;
    }
}
