// SPDX-License-Identifier: Apache-2.0
//
// The counts in what other tools print. Each function takes a tool's whole output; nothing where it holds no count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mapaudit::bench {

// bpftrace: the map @count, as printed at its end.
std::optional<std::uint64_t> bpftrace_count(const std::string& out);

// funclatency: the sum of its histogram's counts.
std::optional<std::uint64_t> funclatency_calls(const std::string& out);

struct PerfCounts {
    std::uint64_t samples, lost;
};
// `perf report --stats`: the sums over its events. Nothing also where records were lost and this perf cannot say how
// many (before 6.1).
std::optional<PerfCounts> perf_counts(const std::string& out);

// `lttng --mi xml list SESSION`: events discarded, over all channels.
std::optional<std::uint64_t> lttng_discarded(const std::string& xml);

// babeltrace2's sink.utils.counter: the events of its last report.
std::optional<std::uint64_t> babeltrace_events(const std::string& out);

// `uftrace report`: the calls of functions whose name starts with `prefix`.
std::optional<std::uint64_t> uftrace_calls(const std::string& out, const std::string& prefix);
// `uftrace record`: records lost; 0 where it mentions none.
std::uint64_t uftrace_lost(const std::string& out);

}  // namespace mapaudit::bench
