// SPDX-License-Identifier: Apache-2.0
#include "util/cpu_clocks.hpp"

#include <time.h>

namespace mapaudit {

CpuClocks::CpuClocks(const std::vector<int>& pids) {
    for (const int pid : pids) {
        // The CPU clock of a whole process, to the nanosecond; anybody may read it.
        Clock clock;
        clock.readable = ::clock_getcpuclockid(pid, &clock.id) == 0;
        clocks_.push_back(clock);
    }
}

std::optional<double> CpuClocks::read() {
    double sum_ns = 0;
    bool any = false;
    for (Clock& clock : clocks_) {
        timespec now{};
        clock.readable = clock.readable && ::clock_gettime(clock.id, &now) == 0;
        if (clock.readable) clock.last_ns = static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
        any = any || clock.readable;
        sum_ns += clock.last_ns;
    }
    if (!any) return std::nullopt;
    return sum_ns;
}

}  // namespace mapaudit
