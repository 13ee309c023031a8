// SPDX-License-Identifier: Apache-2.0
//
// Runs the contestants over the points, through Google Benchmark.
#pragma once

#include <chrono>
#include <functional>
#include <regex>

#include "maps/outcome.hpp"

namespace mapaudit::bench {

struct ContestPlan {
    std::vector<Point> points;
    std::regex only;  // found in POINT_NAME/MAP: only these
    unsigned repetitions;
    std::chrono::milliseconds window;
    std::function<void(const MapOutcome&)> keep;  // called after each round: a run that is stopped loses one round
};

// Maps of few keys are all filled at once, and take turns on each point; of those of many, one is filled after the
// other, and all take turns in rounds. A run that did not do its work is refused: it has no figure, and a line in
// `refused`.
void run_contest(MapOutcome& outcome, const Field& field, const ContestPlan& plan);

}  // namespace mapaudit::bench
