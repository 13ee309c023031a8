// SPDX-License-Identifier: Apache-2.0
//
// Sums up records that were handed over whole, as the eBPF program does with those of a batch.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include <mapaudit/probe_abi.h>

#include "model/aggregator.hpp"

namespace mapaudit::sources {

struct RecordSums {
    struct Op {
        model::Counts counts;       // of the timed calls, in the registry's units
        std::uint64_t counted = 0;  // calls that were counted only; not in `counts`
    };
    std::map<std::pair<std::uint32_t, int>, Op> ops;  // by map and operation
    std::uint64_t malformed = 0;                      // records that no library writes
};

RecordSums sum_records(std::span<const mapaudit_record> records);

}  // namespace mapaudit::sources
