// SPDX-License-Identifier: Apache-2.0
//
// How much of what a target does is seen. Which probes are attached decides it.
#pragma once

#include <string_view>

namespace mapaudit::model {

enum class Level {
    full,     // every operation counted and timed
    sampled,  // every operation counted, a few timed
    events,   // growth, creation, conflicts and contended acquisitions only
};

std::string_view level_name(Level level);

// Between which levels an audit may move to keep its budget.
struct LevelRange {
    Level highest = Level::full, lowest = Level::events;
};

}  // namespace mapaudit::model
