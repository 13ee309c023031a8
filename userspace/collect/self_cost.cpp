// SPDX-License-Identifier: Apache-2.0
#include "collect/self_cost.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace mapaudit::collect {
namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

SelfMeter::SelfMeter() : start_(read()), last_(start_) {}

SelfMeter::Reading SelfMeter::read() {
    rusage usage;
    ::getrusage(RUSAGE_SELF, &usage);
    return {std::chrono::steady_clock::now(), seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

model::SelfCost SelfMeter::between(const Reading& from, const Reading& to) {
    const double wall_s = std::chrono::duration<double>(to.time - from.time).count();
    model::SelfCost cost;
    cost.cpu_percent = wall_s > 0 ? 100.0 * (to.cpu_s - from.cpu_s) / wall_s : 0;
    cost.rss_bytes = resident_bytes();
    return cost;
}

model::SelfCost SelfMeter::lap() {
    const Reading now = read();
    const model::SelfCost cost = between(last_, now);
    last_ = now;
    return cost;
}

model::SelfCost SelfMeter::total() const { return between(start_, read()); }

}  // namespace mapaudit::collect
