// SPDX-License-Identifier: Apache-2.0
//
// What the measured processes share: the steps that they take, the clock that prices them, and what they say of their
// probes. Not thread safe, but for the clock, which is the calling thread's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <iostream>
#include <vector>

#include <mapaudit/probes.h>

#include "distributions.hpp"

namespace mapaudit::bench {

inline constexpr std::uint64_t keys = 10'000;  // as many as mapaudit-workload draws from
inline constexpr std::size_t steps_count = 65'536;
inline constexpr std::size_t chunk = 4096;  // operations between two looks at the clock
static_assert(steps_count % chunk == 0);

// What to do next, drawn before the measurement: a key, and in the lowest bit whether to assign it.
using Step = std::uint32_t;

inline std::vector<Step> make_steps(double assign_share, std::uint64_t stream = 0) {
    workload::Random random(1, stream);
    std::vector<Step> steps;
    for (std::size_t i = 0; i < steps_count; ++i) {
        const auto key = static_cast<Step>(random.below(keys));
        steps.push_back(key << 1 | (random.unit() < assign_share ? 1 : 0));
    }
    return steps;
}

// Time this thread ran, traps into the kernel included, in ns: of a loop that never sleeps, wall time less what other
// processes took of the CPU.
inline std::uint64_t thread_cpu_ns() {
    timespec now;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

// The answer to "armed": one number a semaphore, none where probes are compiled out.
inline void print_semaphores() {
#ifndef MAPAUDIT_NO_PROBES
    for (int offset = 0; offset < MAPAUDIT_SEM_BYTES; offset += 2)
        std::cout << __atomic_load_n(&mapaudit_semaphores[offset / 2], __ATOMIC_RELAXED) << ' ';
#endif
    std::cout << std::endl;
}

}  // namespace mapaudit::bench
