// SPDX-License-Identifier: Apache-2.0
//
// For how long the threads of some processes were ready to run and had no CPU.
#pragma once

#include <optional>
#include <vector>

namespace mapaudit {

// In ns, summed over the threads that live now, each since it began; a wait counts when it is over. Nothing where the
// kernel does not say (CONFIG_SCHED_INFO) or no such process is left. Reads a file a thread. Thread safe.
std::optional<double> run_delays_ns(const std::vector<int>& pids);

}  // namespace mapaudit
