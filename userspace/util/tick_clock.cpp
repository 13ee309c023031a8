// SPDX-License-Identifier: Apache-2.0
#include "util/tick_clock.hpp"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstdint>
#include <limits>

#include "util/unique_fd.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace mapaudit {
namespace {

#if defined(__x86_64__)
std::uint64_t counter() { return __rdtsc(); }
#endif

std::uint64_t monotonic_ns() {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

#if defined(__x86_64__)
// The kernel's conversion as it shows it to perf's readers; 0 where it shows none.
double published() {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_DUMMY;
    attributes.exclude_kernel = 1;
    UniqueFd fd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
    if (!fd) return 0;
    const long page_size = ::sysconf(_SC_PAGESIZE);
    void* memory = ::mmap(nullptr, static_cast<std::size_t>(page_size), PROT_READ, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED) return 0;
    const auto* page = static_cast<const perf_event_mmap_page*>(memory);
    double rate = 0;
    if (page->cap_user_time && page->time_mult != 0)
        rate = static_cast<double>(page->time_mult) / static_cast<double>(std::uint64_t{1} << page->time_shift);
    ::munmap(memory, static_cast<std::size_t>(page_size));
    return rate;
}
#endif

}  // namespace

#if defined(__x86_64__)
// Both clocks at one moment: of several tries, the one whose counter reads stand closest round the other clock's.
TickClock::Reading TickClock::read_both() {
    Reading best;
    std::uint64_t narrowest = std::numeric_limits<std::uint64_t>::max();
    for (int i = 0; i < 16; ++i) {
        const std::uint64_t before = counter();
        const std::uint64_t ns = monotonic_ns();
        const std::uint64_t after = counter();
        if (after - before >= narrowest) continue;
        narrowest = after - before;
        best = {before + (after - before) / 2, ns};
    }
    return best;
}

TickClock::TickClock() : start_(read_both()) {}

double TickClock::ns_per_tick() const {
    constexpr std::uint64_t least_ns = 5'000'000;
    if (ns_per_tick_ != 0) return ns_per_tick_;
    ns_per_tick_ = published();
    if (ns_per_tick_ != 0) return ns_per_tick_;
    Reading end = read_both();
    while (end.ns - start_.ns < least_ns) end = read_both();
    ns_per_tick_ = static_cast<double>(end.ns - start_.ns) / static_cast<double>(end.ticks - start_.ticks);
    return ns_per_tick_;
}
#else
TickClock::TickClock() = default;

double TickClock::ns_per_tick() const {
    std::uint64_t frequency;
    asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    return 1e9 / static_cast<double>(frequency);
}
#endif

}  // namespace mapaudit
