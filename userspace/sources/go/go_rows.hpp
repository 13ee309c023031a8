// SPDX-License-Identifier: Apache-2.0
//
// Rows of one reading of the kernel's tables, brought together by the map that they are about. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "sources/go/go_maps.hpp"
#include "sources/go/go_programs.hpp"

namespace mapaudit::sources {

// What one map did and was done to. Rows of one map by several callers are one observation: whose came between whose,
// they do not say.
struct GoRows {
    std::uint32_t process = 0;
    std::uint64_t first_ns = 0, last_ns = 0;
    GoObservation observation;
    std::vector<const GoGrowth*> growths;
    std::vector<const GoCalls*> calls;  // of latencies, too
};

// By the time of the first of each. Calls of maps that have no address, which share rows, are left out: `calls` of map
// 0.
std::vector<GoRows> by_map(const std::vector<GoGrowth>& growths, const std::vector<GoCalls>& calls);

}  // namespace mapaudit::sources
