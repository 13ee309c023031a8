// SPDX-License-Identifier: Apache-2.0
//
// Runs the candidates over the points, through Google Benchmark.
#pragma once

#include <chrono>
#include <functional>
#include <regex>

#include "maps/map_results.hpp"

namespace mapaudit::bench {

struct MapBenchPlan {
    std::vector<Point> points;
    std::regex only;  // found in POINT_NAME/MAP: only these
    unsigned repetitions;
    std::chrono::milliseconds window;
    std::function<void(const MapOutcome&)> keep;  // called after each round: a run that is stopped loses one round
};

// Maps of few keys are all filled at once, and take turns on each point; of those of many, one is filled after the
// other, and all take turns in rounds. A run that did not do its work is refused: it has no figure, and a line in
// `refused`.
void run_benchmarks(MapOutcome& outcome, const Field& field, const MapBenchPlan& plan);

}  // namespace mapaudit::bench
