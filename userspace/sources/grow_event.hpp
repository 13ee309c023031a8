// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <mapaudit/probe_abi.h>

#include "model/map.hpp"

namespace mapaudit::sources {

// One growth, as it is reported to whoever wants to see them one by one.
struct GrowEvent {
    model::MapId map;
    std::uint64_t old_buckets = 0, new_buckets = 0, duration_ns = 0, time_ns = 0;
    mapaudit_grow_reason reason = MAPAUDIT_GROW_LOAD;
    std::uint32_t part = 0;
    std::uint32_t number = 0;  // of this growth of that part, from 1; 0: not numbered
};

}  // namespace mapaudit::sources
