// SPDX-License-Identifier: Apache-2.0
#include "sources/attach/perf_event.hpp"

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace mapaudit::sources {
namespace {

template <class Number>
Number number_in(const char* path, Number otherwise) {
    std::ifstream file(path);
    Number value = otherwise;
    return file >> value ? value : otherwise;
}

Error open_error(const PerfCounter& counter, int cpu, int err) {
    const std::string what = "cannot sample " + counter.name + " on CPU " + std::to_string(cpu);
    switch (err) {
        case EACCES:
        case EPERM: {
            const int paranoid = number_in("/proc/sys/kernel/perf_event_paranoid", 0);
            return Error::from_errno(Failure::not_permitted, what, err,
                                     "perf_event_paranoid is " + std::to_string(paranoid) +
                                         ": run as root, or with CAP_PERFMON, or set it to -1");
        }
        case ENOENT:
        case ENODEV:
        case EOPNOTSUPP:
            return Error::from_errno(Failure::not_permitted, what, err,
                                     "there is no such counter: a virtual machine is given one only where its host "
                                     "passes the PMU through");
        case ENOSYS:
            return Error::from_errno(Failure::not_permitted, what, err,
                                     "a kernel built with CONFIG_PERF_EVENTS is needed");
        case EMFILE: return Error::from_errno(Failure::failed, what, err, "raise the limit on open files (ulimit -n)");
        case EBUSY: return Error::from_errno(Failure::failed, what, err, "another profiler holds the counter");
        default: return Error::from_errno(Failure::failed, what, err);
    }
}

UniqueFd open_on(const PerfCounter& counter, int cpu, unsigned hz) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = counter.type;
    attributes.config = counter.config;
    attributes.freq = 1;
    attributes.sample_freq = hz;
    attributes.disabled = 1;
    // The clock's timer goes on when the CPU is idle; its overflows there are nobody's.
    attributes.exclude_idle = counter.type == PERF_TYPE_SOFTWARE;
    return UniqueFd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

// CPUs that are offline are passed over: the kernel says ENODEV (or, of some PMUs, ENXIO) for them.
bool is_online(int cpu) {
    if (cpu == 0) return true;  // where it cannot go offline it has no such file
    return number_in(("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online").c_str(), 1) == 1;
}

}  // namespace

PerfCounter cpu_clock() { return {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, "cpu-clock"}; }

const std::vector<PerfCounter>& hardware_counters() {
    static const std::vector<PerfCounter> all{{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, "cycles"},
                                              {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, "instructions"},
                                              {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, "cache misses"},
                                              {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, "branch misses"}};
    return all;
}

Result<std::vector<UniqueFd>> open_everywhere(const PerfCounter& counter, unsigned hz) {
    hz = std::min(hz, number_in("/proc/sys/kernel/perf_event_max_sample_rate", hz));
    std::vector<UniqueFd> events;
    for (int cpu = 0; cpu < libbpf_num_possible_cpus(); ++cpu) {
        UniqueFd event = open_on(counter, cpu, std::max(hz, 1u));
        if (!event) {
            const int err = errno;
            if (!is_online(cpu)) continue;
            return open_error(counter, cpu, err);
        }
        events.push_back(std::move(event));
    }
    return events;
}

Result<void> try_counter(const PerfCounter& counter) {
    if (!open_on(counter, 0, 1)) return open_error(counter, 0, errno);
    return {};
}

}  // namespace mapaudit::sources
