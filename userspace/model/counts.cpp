// SPDX-License-Identifier: Apache-2.0
#include "model/counts.hpp"

#include <algorithm>
#include <cassert>

namespace mapaudit::model {

void Counts::add(const Counts& other) {
    if (other.has_times()) {
        assert(!has_times() || ns_per_unit == other.ns_per_unit);
        ns_per_unit = other.ns_per_unit;
    }
    calls += other.calls;
    latency.merge(other.latency);
    latency_sum += other.latency_sum;
    latency_max = std::max(latency_max, other.latency_max);
    waits += other.waits;
    wait_sum += other.wait_sum;
    wait.merge(other.wait);
    grew.merge(other.grew);
    grew_sum += other.grew_sum;
    migrations += other.migrations;
    conflicts += other.conflicts;
    fatal_errors += other.fatal_errors;
    grows += other.grows;
    buckets_grown += other.buckets_grown;
    lost += other.lost;
}

bool Counts::has_times() const {
    return latency.count() != 0 || wait.count() != 0 || latency_sum != 0 || latency_max != 0 || wait_sum != 0 ||
           grew.count() != 0 || grew_sum != 0;
}

bool Counts::is_empty() const {
    return calls == 0 && waits == 0 && migrations == 0 && conflicts == 0 && fatal_errors == 0 && grows == 0 &&
           buckets_grown == 0 && lost == 0 && !has_times();
}

}  // namespace mapaudit::model
