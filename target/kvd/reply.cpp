// SPDX-License-Identifier: Apache-2.0
#include "reply.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <iterator>

namespace kvd {

void append_line(std::string& out, std::string_view line) {
    out.append(line);
    out.append("\r\n");
}

void append_value(std::string& out, std::string_view key, const Item& item, bool with_cas) {
    const auto at = std::back_inserter(out);
    if (with_cas)
        fmt::format_to(at, "VALUE {} {} {} {}\r\n", key, item.flags, item.value.size(), item.cas);
    else
        fmt::format_to(at, "VALUE {} {} {}\r\n", key, item.flags, item.value.size());
    append_line(out, item.value);
}

void append_stats(std::string& out, const Statistics& statistics, const Store& store) {
    using namespace std::chrono;
    static const auto started = steady_clock::now();
    const auto stat = [&](std::string_view name, const auto& value) {
        fmt::format_to(std::back_inserter(out), "STAT {} {}\r\n", name, value);
    };
    stat("pid", ::getpid());
    stat("uptime", duration_cast<seconds>(steady_clock::now() - started).count());
    stat("time", duration_cast<seconds>(system_clock::now().time_since_epoch()).count());
    stat("version", version());
    stat("pointer_size", 8 * sizeof(void*));
    stat("threads", statistics.threads);
    stat("max_connections", statistics.max_connections);
    stat("curr_connections", statistics.connections());
    for (std::size_t i = 0; i < counter_names.size(); ++i) stat(counter_names[i], statistics.of(i));
    stat("bytes", store.bytes());
    stat("limit_maxbytes", store.memory_limit_bytes());
    stat("curr_items", store.items());
    stat("total_items", store.writes());
    stat("map_kind", statistics.map_kind);
    stat("map_buckets", store.buckets());
    stat("map_grows", store.grows());
    append_line(out, "END");
}

std::string_view version() { return MAPAUDIT_VERSION; }

}  // namespace kvd
