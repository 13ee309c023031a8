// SPDX-License-Identifier: Apache-2.0
//
// A chart of lines over time, or over what the caller marks on its axis, as one inline SVG element. Colours are the
// page's: classes s0 to s7.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mapaudit::output {

inline constexpr std::size_t chart_colors = 8;

struct ChartPoint {
    double x = 0, y = 0;
    bool gap = false;  // there was nothing to measure: the line is interrupted
};

struct ChartLine {
    std::string name;
    std::size_t color = 0;
    std::vector<ChartPoint> points;  // by x
};

// A mark on the axis below.
struct ChartTick {
    double x = 0;
    std::string label;
};

struct Chart {
    std::string title;
    std::vector<ChartLine> lines;
    double x_end = 0;        // seconds, or in the ticks' unit; the axis begins at 0
    double y_least_end = 0;  // the axis reaches at least this high
    std::function<std::string(double)> y_label;
    std::vector<ChartTick> x_ticks{};  // empty: x is seconds, and their marks are chosen
};

// Empty where no line has a point. A very long line is drawn by the highest point of each stretch.
std::string chart_svg(const Chart& chart);

// A round step, 1, 2 or 5 times a power of ten, that makes `most` of them or fewer span `range`.
double tick_step(double range, int most);

}  // namespace mapaudit::output
