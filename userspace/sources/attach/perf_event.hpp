// SPDX-License-Identifier: Apache-2.0
//
// Sampling perf events, one a CPU: opened, tried, and what it means when they cannot be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::sources {

// What perf_event_open(2) calls type and config.
struct PerfCounter {
    std::uint32_t type = 0;
    std::uint64_t config = 0;
    std::string name;  // for people: "cycles"
};

// The kernel's clock, which every machine has; the hardware's counters, by enum wire_counter.
PerfCounter cpu_clock();
const std::vector<PerfCounter>& hardware_counters();

// One sampling event a CPU that is online, not enabled yet: of all processes, `hz` samples a second (fewer where the
// kernel's limit is lower). Either all CPUs' or an error, which says why and what to do.
Result<std::vector<UniqueFd>> open_everywhere(const PerfCounter& counter, unsigned hz);

// The same on one CPU and at once closed.
Result<void> try_counter(const PerfCounter& counter);

}  // namespace mapaudit::sources
