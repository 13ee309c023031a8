// SPDX-License-Identifier: Apache-2.0
//
// What the server counts about itself, by memcached's names.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kvd {

enum class Counter {
    cmd_get,  // keys asked for
    cmd_set,  // storage commands
    cmd_flush,
    cmd_touch,
    get_hits,
    get_misses,
    delete_hits,
    delete_misses,
    incr_hits,
    incr_misses,
    decr_hits,
    decr_misses,
    cas_hits,
    cas_misses,
    cas_badval,
    touch_hits,
    touch_misses,
    total_connections,
    rejected_connections,
};

inline constexpr std::array<std::string_view, 19> counter_names{
    "cmd_get",
    "cmd_set",
    "cmd_flush",
    "cmd_touch",
    "get_hits",
    "get_misses",
    "delete_hits",
    "delete_misses",
    "incr_hits",
    "incr_misses",
    "decr_hits",
    "decr_misses",
    "cas_hits",
    "cas_misses",
    "cas_badval",
    "touch_hits",
    "touch_misses",
    "total_connections",
    "rejected_connections",
};

// Thread safety: any number of threads. Relaxed: each is a figure by itself.
class Statistics {
public:
    void count(Counter counter) noexcept { at(counter).fetch_add(1, std::memory_order_relaxed); }
    std::uint64_t of(Counter counter) const noexcept { return of(static_cast<std::size_t>(counter)); }
    std::uint64_t of(std::size_t index) const noexcept { return counters_[index].load(std::memory_order_relaxed); }

    void connected() noexcept { connections_.fetch_add(1, std::memory_order_relaxed); }
    void disconnected() noexcept { connections_.fetch_sub(1, std::memory_order_relaxed); }
    std::uint64_t connections() const noexcept { return connections_.load(std::memory_order_relaxed); }  // now
    bool has_all_connections() const noexcept { return connections() >= max_connections; }

    unsigned threads = 1;  // this and the next two are set before the first thread starts
    std::uint64_t max_connections = 0;
    std::string_view map_kind;

private:
    std::atomic<std::uint64_t>& at(Counter counter) noexcept { return counters_[static_cast<std::size_t>(counter)]; }
    std::array<std::atomic<std::uint64_t>, counter_names.size()> counters_{};
    std::atomic<std::uint64_t> connections_ = 0;
};

}  // namespace kvd
