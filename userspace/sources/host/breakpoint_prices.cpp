// SPDX-License-Identifier: Apache-2.0
#include "sources/host/breakpoint_prices.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "sources/host/capability_tries.hpp"

#if defined(__x86_64__)
// As a Go function begins and ends: a branch that is not taken, and a RET, each of which can have a probe.
asm(".pushsection .text\n.balign 16\n"
    ".globl mapaudit_breakpoint_branch\n.hidden mapaudit_breakpoint_branch\n"
    ".type mapaudit_breakpoint_branch, %function\n"
    "mapaudit_breakpoint_branch:\ncmpq $0, %rsp\n"
    "mapaudit_breakpoint_jbe: jbe mapaudit_breakpoint_ret\n"
    "mapaudit_breakpoint_ret: ret\n"
    ".size mapaudit_breakpoint_branch, . - mapaudit_breakpoint_branch\n"
    ".globl mapaudit_breakpoint_jbe\n.hidden mapaudit_breakpoint_jbe\n"
    ".globl mapaudit_breakpoint_ret\n.hidden mapaudit_breakpoint_ret\n.popsection\n");
extern "C" {
[[gnu::visibility("hidden")]] void mapaudit_breakpoint_branch();
[[gnu::visibility("hidden")]] extern const char mapaudit_breakpoint_jbe[], mapaudit_breakpoint_ret[];
}
#endif

namespace mapaudit::sources {

#if defined(__x86_64__)

namespace {

constexpr int rounds = 9;

double thread_cpu_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// What a program does between two hits: the kernel then finds little of its own in the nearest cache. In a loop of hits
// and nothing else each takes three quarters of the time.
void touch_memory() {
    constexpr std::size_t bytes = 32 * 1024, line = 64;
    static std::array<unsigned char, bytes> memory;
    for (std::size_t i = 0; i < bytes; i += line) {
        ++memory[i];
        asm volatile("" : : "r"(memory.data()) : "memory");
    }
}

// The lower quartile of some rounds, as in calibration.cpp: what disturbs one makes it longer.
double call_ns(int calls) {
    std::array<double, rounds> all{};
    for (double& one : all) {
        const double start = thread_cpu_ns();
        for (int i = 0; i < calls; ++i) {
            touch_memory();
            mapaudit_breakpoint_branch();
        }
        one = (thread_cpu_ns() - start) / calls;
    }
    std::nth_element(all.begin(), all.begin() + rounds / 4, all.end());
    return all[rounds / 4];
}

Result<void> attach_for_good(const char* instruction) {
    auto link = attach_nothing(reinterpret_cast<std::uintptr_t>(instruction));
    if (!link) return link.error();
    (void)new UprobeLink(std::move(*link));  // to detach takes a grace period; the end of the process does it
    return {};
}

}  // namespace

Result<BreakpointPrices> measure_breakpoints() {
    constexpr int many = 256, few = 24;
    (void)call_ns(many);
    const double bare = call_ns(many);
    if (auto attached = attach_for_good(mapaudit_breakpoint_jbe); !attached) return attached.error();
    (void)call_ns(few);
    const double branch = call_ns(many);
    if (auto attached = attach_for_good(mapaudit_breakpoint_ret); !attached) return attached.error();
    const double both = call_ns(few);
    return BreakpointPrices{std::max(branch - bare, 0.0), std::max(both - branch, 0.0)};
}

#else

Result<BreakpointPrices> measure_breakpoints() {
    return Error::of(Failure::failed, "what breakpoints cost is only asked on x86-64");
}

#endif

}  // namespace mapaudit::sources
