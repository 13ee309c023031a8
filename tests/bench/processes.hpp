// SPDX-License-Identifier: Apache-2.0
//
// Other processes and their CPU time, in ns: by their clocks, since /proc/PID/stat counts in ticks of 10 ms, too coarse
// for a window of 120.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace mapaudit::bench {

// Those alive, and those that nobody has waited for.
std::vector<pid_t> children_of(pid_t parent);

// CPU time of all its threads, ended ones included. 0 for a process that is gone.
std::uint64_t process_cpu_ns(pid_t pid);
// The same of a process, its living descendants, and those that ended and were waited for (these in steps of 10 ms).
std::uint64_t tree_cpu_ns(pid_t root);

}  // namespace mapaudit::bench
