// SPDX-License-Identifier: Apache-2.0
//
// How a target starts: says that it is ready, and waits until an auditor sees every operation.
#pragma once

#include <unistd.h>

#include <cstdio>

#include <mapaudit/probes.h>

namespace mapaudit::test {

inline void await_auditor() {
    std::fprintf(stderr, "ready\n");
    while (!detail::armed(MAPAUDIT_SEM_BATCH) && !detail::armed(MAPAUDIT_SEM_BATCH_SAMPLED)) ::usleep(1000);
    // The kernel raises a probe's semaphore just before it patches the probe; ours is attached last.
    ::usleep(50'000);
}

}  // namespace mapaudit::test
