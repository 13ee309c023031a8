// SPDX-License-Identifier: Apache-2.0
#include "collect/gates.hpp"

#include "util/result.hpp"

namespace mapaudit::collect {

Breaches breaches_in(const model::Report& total) {
    Breaches breaches{total.ledger.lost_total(), 0};
    // Rows of a CPU or of a thread are parts of another one.
    for (const model::Row& row : total.rows)
        if (!row.cpu && !row.tid) breaches.conflicts += row.conflicts;
    return breaches;
}

int exit_code(const Gates& gates, const Breaches& breaches) {
    const bool held = !(gates.loss && breaches.lost != 0) && !(gates.conflict && breaches.conflicts != 0);
    return held ? 0 : static_cast<int>(Failure::gate);
}

}  // namespace mapaudit::collect
