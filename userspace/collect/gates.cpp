// SPDX-License-Identifier: Apache-2.0
#include "collect/gates.hpp"

#include "util/result.hpp"

namespace mapaudit::collect {

Breaches breaches_in(const model::Report& total) {
    Breaches breaches{total.ledger.lost_total(), 0};
    for (const model::Row& row : total.rows)
        if (row.is_sum()) breaches.conflicts += row.conflicts_seen();
    return breaches;
}

int exit_code(const Gates& gates, const Breaches& breaches) {
    const bool held = !(gates.loss && breaches.lost != 0) && !(gates.conflict && breaches.conflicts != 0);
    return held ? 0 : static_cast<int>(Failure::gate);
}

}  // namespace mapaudit::collect
