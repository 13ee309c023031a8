// SPDX-License-Identifier: Apache-2.0
//
// What was measured of each scale, as tables for people (plain or markdown) and as CSV.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "scale/aggregation.hpp"
#include "scale/points.hpp"
#include "scale/scale_point.hpp"

namespace mapaudit::bench {

struct ScaleResults {
    std::string machine, date;
    std::vector<ScaleSeries> series;
    std::vector<ScaleFigures> figures;
    std::vector<AggregationFigures> aggregators;

    const ScaleFigures& find(const ScalePoint& point) const;
};

double median_of_rounds(std::vector<double> values);

void print_scale_tables(std::ostream& out, const ScaleResults& results, bool markdown);
void print_scale_goals(std::ostream& out, const ScaleResults& results);
void write_scale_csv(std::ostream& out, const ScaleResults& results);

}  // namespace mapaudit::bench
