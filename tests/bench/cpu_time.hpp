// SPDX-License-Identifier: Apache-2.0
//
// CPU time of other processes, in ns: by their clocks, since /proc/PID/stat counts in ticks of 10 ms, too coarse for a
// window of 120.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace mapaudit::bench {

// Of all its threads, ended ones included. 0 for a process that is gone.
std::uint64_t process_cpu_ns(pid_t pid);
// Of a process, its living descendants, and those that ended and were waited for (these in steps of 10 ms).
std::uint64_t tree_cpu_ns(pid_t root);

}  // namespace mapaudit::bench
