// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_ledger.hpp"

#include <algorithm>

namespace mapaudit::sources {

void add_ledger(wire_ledger& sum, const wire_ledger& one) {
    sum.fired += one.fired;
    sum.handled += one.handled;
    sum.batches += one.batches;
    sum.event_hits += one.event_hits;
    sum.spilled += one.spilled;
    sum.events_dropped += one.events_dropped;
    sum.stacks_dropped += one.stacks_dropped;
    sum.evidence_dropped += one.evidence_dropped;
    sum.timed_hits += one.timed_hits;
    sum.timed_ns += one.timed_ns;
    for (int cause = 0; cause < WIRE_LOSSES; ++cause) sum.lost[cause] += one.lost[cause];
}

void UsdtLedger::took_calls(model::Level level, std::uint64_t calls) {
    (level == model::Level::full ? operations_.timed : operations_.counted) += calls;
}

model::Ledger UsdtLedger::ledger(const wire_ledger& kernel) const {
    const std::uint64_t in_ring = kernel.spilled - spilled_;  // fired, and neither handled nor lost yet
    model::Ledger ledger;
    ledger.fired = kernel.fired - in_ring + pending_;
    ledger.handled = kernel.handled + spilled_ + pending_ - malformed_;
    const auto lost = [&](const char* cause, std::uint64_t count) {
        if (count != 0) ledger.lost.push_back({cause, count});
    };
    lost("unreadable memory: the batch was not resident", kernel.lost[WIRE_LOST_UNREADABLE]);
    lost("malformed: no mapaudit library writes such a record", kernel.lost[WIRE_LOST_MALFORMED] + malformed_);
    lost("interrupted: another hit was being counted on the same CPU", kernel.lost[WIRE_LOST_BUSY]);
    lost("histogram memory full", kernel.lost[WIRE_LOST_NO_PAGE]);
    lost("event ring full", kernel.lost[WIRE_LOST_RING]);
    lost("missed: a batch was fired that the kernel did not deliver", kernel.lost[WIRE_LOST_MISSED]);
    lost("unknown registry: a library was loaded after the attach", kernel.lost[WIRE_LOST_REGISTRY]);
    ledger.stacks_dropped = kernel.stacks_dropped;
    ledger.evidence_dropped = kernel.evidence_dropped;
    return ledger;
}

model::Activity UsdtLedger::activity(const wire_ledger& kernel) const {
    model::Activity activity = operations_;
    activity.batches = kernel.batches;
    activity.events = kernel.event_hits;
    // Hits that were preempted are not among those timed, and took what the others did.
    if (const std::uint64_t hits = activity.batches + activity.events; kernel.timed_hits != 0 && hits != 0)
        activity.program_ns = static_cast<double>(kernel.timed_ns) *
                              std::max(1.0, static_cast<double>(hits) / static_cast<double>(kernel.timed_hits));
    return activity;
}

std::uint64_t UsdtLedger::newly_lost(const wire_ledger& kernel) {
    std::uint64_t total = malformed_;
    for (int cause = 0; cause < WIRE_LOSSES; ++cause)
        if (cause != WIRE_LOST_NO_PAGE) total += kernel.lost[cause];  // a map's own
    const std::uint64_t told = lost_told_;
    lost_told_ = total;
    return total - told;
}

}  // namespace mapaudit::sources
