// SPDX-License-Identifier: Apache-2.0
#include "model/report.hpp"

#include <algorithm>
#include <numeric>

namespace mapaudit::model {

std::optional<double> wait_share(const Row& row) {
    if (!row.mean_ns) return std::nullopt;
    // Waits are of the timed calls, as the mean is: calls / weight of them.
    const double timed_ns = *row.mean_ns * static_cast<double>(row.calls) / std::max(row.weight, 1.0);
    return timed_ns > 0 ? std::min(row.wait_total_ns / timed_ns, 1.0) : 0.0;
}

double time_waited_ns(const Row& row) { return row.wait_total_ns * std::max(row.weight, 1.0); }

double time_spent_ns(const Row& row) { return row.mean_ns.value_or(0) * static_cast<double>(row.calls); }

std::uint64_t Ledger::lost_total() const {
    return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Loss& loss) { return sum + loss.count; });
}

}  // namespace mapaudit::model
