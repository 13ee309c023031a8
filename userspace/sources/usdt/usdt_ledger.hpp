// SPDX-License-Identifier: Apache-2.0
//
// Fired, handled, lost and why: the eBPF program's figures and those of what was taken on this side, put together so
// that handled + lost = fired. And from the same figures, what the target did that has a price.
#pragma once

#include <cstdint>

#include "model/level.hpp"
#include "model/overhead.hpp"
#include "model/report.hpp"
#include "wire.h"

namespace mapaudit::sources {

// Adds the figures of one CPU to a sum.
void add_ledger(wire_ledger& sum, const wire_ledger& one);

// Not thread safe.
class UsdtLedger {
public:
    // Records and events that the kernel handed over uncounted, and that have been counted here.
    void took_spilled(std::uint64_t records) { spilled_ += records; }
    // Records of blocks that no batch brought.
    void took_pending(std::uint64_t records) { pending_ += records; }
    // Records of either kind that no library writes.
    void found_malformed(std::uint64_t records) { malformed_ += records; }
    // Operations, by either way, while `level` was attached.
    void took_calls(model::Level level, std::uint64_t calls);

    model::Ledger ledger(const wire_ledger& kernel) const;
    // All but the samples.
    model::Activity activity(const wire_ledger& kernel) const;
    // What was lost since the last call and belongs to no map. Losses of a known map are on its rows.
    std::uint64_t newly_lost(const wire_ledger& kernel);

private:
    model::Activity operations_;  // operations only
    std::uint64_t spilled_ = 0, pending_ = 0, malformed_ = 0;
    std::uint64_t lost_told_ = 0;  // by newly_lost()
};

}  // namespace mapaudit::sources
