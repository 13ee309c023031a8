// SPDX-License-Identifier: Apache-2.0
#include "util/run_delays.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace mapaudit {

std::optional<double> run_delays_ns(const std::vector<int>& pids) {
    double sum_ns = 0;
    bool known = false;
    for (const int pid : pids) {
        std::error_code failed;
        std::filesystem::directory_iterator threads("/proc/" + std::to_string(pid) + "/task", failed), end;
        while (!failed && threads != end) {
            // On a CPU, waiting for one, how often; all zeros where the kernel does not keep them.
            double ran_ns = 0, waited_ns = 0;
            if (std::ifstream file(threads->path() / "schedstat"); file >> ran_ns >> waited_ns) {
                known = known || ran_ns > 0;
                sum_ns += waited_ns;
            }
            threads.increment(failed);
        }
    }
    if (!known) return std::nullopt;
    return sum_ns;
}

}  // namespace mapaudit
