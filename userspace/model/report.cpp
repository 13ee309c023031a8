// SPDX-License-Identifier: Apache-2.0
#include "model/report.hpp"

#include <algorithm>
#include <numeric>

namespace mapaudit::model {

std::optional<double> wait_share(const Row& row) {
    if (!row.mean_ns) return std::nullopt;
    const double spent_ns = time_spent_ns(row);
    return spent_ns > 0 ? std::min(row.wait_total_ns / spent_ns, 1.0) : 0.0;
}

double time_spent_ns(const Row& row) { return row.mean_ns.value_or(0) * static_cast<double>(row.calls); }

std::uint64_t Ledger::lost_total() const {
    return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Loss& loss) { return sum + loss.count; });
}

}  // namespace mapaudit::model
