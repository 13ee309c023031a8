// SPDX-License-Identifier: Apache-2.0
#include "model/report.hpp"

#include <numeric>

namespace mapaudit::model {

std::uint64_t Ledger::lost_total() const {
    return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Loss& loss) { return sum + loss.count; });
}

}  // namespace mapaudit::model
