// SPDX-License-Identifier: Apache-2.0
//
// The CPU time of some processes, in ns.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

namespace mapaudit {

// Not thread safe.
class CpuClocks {
public:
    // By their ids; one that does not exist counts as nothing.
    explicit CpuClocks(const std::vector<int>& pids);
    // CPU time of all of them since each began; one that has ended counts as last read. Nothing once all have ended.
    std::optional<double> read();

private:
    struct Clock {
        clockid_t id = 0;
        double last_ns = 0;
        bool readable = false;
    };
    std::vector<Clock> clocks_;
};

}  // namespace mapaudit
