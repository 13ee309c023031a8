// SPDX-License-Identifier: Apache-2.0
#include "model/report.hpp"

#include <numeric>

namespace mapaudit::model {

std::string_view op_name(mapaudit_op op) {
    switch (op) {
        case MAPAUDIT_OP_ASSIGN: return "assign";
        case MAPAUDIT_OP_LOOKUP: return "lookup";
        case MAPAUDIT_OP_ERASE: return "erase";
        case MAPAUDIT_OP_GROW: return "grow";
        case MAPAUDIT_OP_WHOLE: return "iterate";
    }
    return "unknown";  // an operation of a newer target
}

std::uint64_t Ledger::lost_total() const {
    return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Loss& loss) { return sum + loss.count; });
}

}  // namespace mapaudit::model
