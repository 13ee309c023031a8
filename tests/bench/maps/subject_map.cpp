// SPDX-License-Identifier: Apache-2.0
#include "maps/subject_map.hpp"

namespace mapaudit::bench {

Tally& Tally::operator+=(const Tally& other) {
    lookups += other.lookups;
    found += other.found;
    assigns += other.assigns;
    inserted += other.inserted;
    erases += other.erases;
    erased += other.erased;
    wrong += other.wrong;
    return *this;
}

// What is made for one thread is measured there only; what is behind a lock, with several.
bool takes_part(const Candidate& candidate, const Point& point) {
    return point.keys <= candidate.most_keys && (candidate.concurrent || point.threads == 1);
}

Field all_candidates() {
    Field field;
    for (const auto add : {add_ours, add_standard, add_abseil, add_tbb, add_libcds, add_lfht_memb, add_lfht_qsbr})
        add(field);
    return field;
}

}  // namespace mapaudit::bench
