// SPDX-License-Identifier: Apache-2.0
//
// What was measured, as tables for people and as CSV.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "maps/subject_map.hpp"

namespace mapaudit::bench {

// One candidate on one point.
struct MapFigure {
    Point point;
    std::string map;
    Side side;
    bool concurrent;
    std::vector<double> ops_per_s;  // one a repetition
    Tally tally;                    // of all repetitions

    double median() const;  // operations a second, over all threads
    double least() const;
    double most() const;
};

struct MapOutcome {
    std::string machine;
    std::vector<MapFigure> figures;     // of a point: next to one another
    std::vector<std::string> left_out;  // "what: why"
    std::vector<std::string> refused;   // "what on which load: why"

    const MapFigure* find(const Point& point, const std::string& map) const;
    // The quickest of a side's that several threads may use; null when there is none.
    const MapFigure* best(const Point& point, Side side) const;
    std::vector<Point> points() const;
};

void print_map_tables(std::ostream& out, const MapOutcome& outcome);
// Point by point: the quickest of ours beside the quickest of the others', concurrent and behind a mutex.
void print_winners(std::ostream& out, const MapOutcome& outcome);
// Which goals are met, by the points that were measured.
void print_map_goals(std::ostream& out, const MapOutcome& outcome);
void write_map_csv(std::ostream& out, const MapOutcome& outcome);

}  // namespace mapaudit::bench
