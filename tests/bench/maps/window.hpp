// SPDX-License-Identifier: Apache-2.0
//
// One measurement: the threads of a point at work on a filled map for a while.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "maps/subject_map.hpp"

namespace mapaudit::bench {

struct MapWindow {
    double seconds;      // from the moment that all threads were let go to the last one's end
    Tally tally;         // of all threads
    std::uint64_t size;  // of the map afterwards

    double ops_per_s() const { return static_cast<double>(tally.ops()) / seconds; }
};

// What the threads' counts say against the map's own and the point's; empty when the work was done as asked.
// `before` and `after`: the map's size.
std::string fault_in(const Point& point, const Tally& tally, std::uint64_t before, std::uint64_t after);

// Throws BenchError when the work was not done. `size` is the map's, `round` shifts where in the steps each thread
// begins. As many threads as there are CPUs, or fewer, have one each to themselves.
MapWindow measure_window(MapSubject& map, const Point& point, const Keys& keys, const std::vector<MapStep>& steps,
                         std::uint64_t size, unsigned round, std::chrono::milliseconds length);

}  // namespace mapaudit::bench
