// SPDX-License-Identifier: Apache-2.0
#include "scale/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "output/line_chart.hpp"
#include "output/markup.hpp"

namespace mapaudit::bench {
namespace {

using output::Chart;

constexpr double chart_width = 560, chart_height = 220, gap = 24, caption = 40, head = 44, foot = 8;

constexpr std::string_view style = R"(<style>
svg { --ink: #1b1f24; --soft: #5b6570; --paper: #fff; --edge: #dfe3e8; --s0: #2563a8; --s1: #c2621b;
  font: 13px system-ui, "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { svg { --ink: #e4e7eb; --soft: #98a2ad; --paper: #16191d; --edge: #333a42;
  --s0: #6aa5e8; --s1: #eb9a57; } }
.paper { fill: var(--paper); } .title { fill: var(--ink); } .note { fill: var(--soft); font-size: 11.5px; }
.s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .key { fill: var(--c); font-size: 11.5px; }
.chart .grid { stroke: var(--edge); } .chart text { fill: var(--soft); font-size: 10.5px; }
.chart .tick.y { text-anchor: end; } .chart .tick.x { text-anchor: middle; }
.chart .line path { fill: none; stroke: var(--c); stroke-width: 1.7; } .chart circle { fill: var(--c); }
</style>
)";

std::string nanoseconds(double ns) { return fmt::format("{:g} ns", std::round(ns * 100) / 100); }

// What a series varies: a rate is the one that was reached.
double place(Axis axis, const ScaleFigures& figures) {
    switch (axis) {
        case Axis::maps: return static_cast<double>(figures.point.maps);
        case Axis::threads: return figures.point.threads;
        case Axis::rate: break;
    }
    return median_of_rounds(figures.ops_per_s);
}

std::string place_label(Axis axis, const ScaleFigures& figures) {
    if (axis == Axis::maps) return std::to_string(figures.point.maps);
    if (axis == Axis::threads) return std::to_string(figures.point.threads);
    if (figures.point.rate != 0) return rate_label(figures.point.rate) + "/s";
    return fmt::format("{:.0f}M/s", median_of_rounds(figures.ops_per_s) / 1e6);
}

// Decades from the axis' beginning, which lies a bit before the first point.
double decades(double value, double first) { return 0.25 + std::log10(value / first); }

Chart cost_chart(const ScaleResults& results, Axis axis, const std::string& title) {
    Chart chart{title, {}, 0, 0, nanoseconds, {}};
    for (const ScaleSeries& series : results.series) {
        if (series.axis != axis) continue;
        const double first = place(axis, results.find(series.points.front()));
        output::ChartLine line{series.name, chart.lines.size(), {}};
        for (const ScalePoint& point : series.points) {
            const ScaleFigures& figures = results.find(point);
            const double x = decades(place(axis, figures), first);
            line.points.push_back({x, std::max(0.0, median_of_rounds(figures.added_ns)), false});
            if (chart.lines.empty()) chart.x_ticks.push_back({x, place_label(axis, figures)});
            chart.x_end = std::max(chart.x_end, x + 0.25);
        }
        chart.lines.push_back(std::move(line));
    }
    return chart;
}

Chart aggregation_chart(const ScaleResults& results) {
    Chart chart{"the auditor's CPU for an interval of 3 maps, over intervals so far", {}, 0, 0, nanoseconds, {}};
    for (const AggregationFigures& aggregator : results.aggregators) {
        output::ChartLine line{aggregator.name, chart.lines.size(), {}};
        for (const AggregationStretch& stretch : aggregator.stretches) {
            const auto x = static_cast<double>(stretch.intervals);
            line.points.push_back({x, stretch.ns_per_interval, false});
            chart.x_end = std::max(chart.x_end, x * 1.03);
            if (chart.lines.empty() && stretch.intervals % 200'000 == 0)
                chart.x_ticks.push_back({x, fmt::format("{}k", stretch.intervals / 1000)});
        }
        chart.lines.push_back(std::move(line));
    }
    return chart;
}

// The chart with its title and, where it has more than one line, whose is whose.
std::string panel(const Chart& chart, std::size_t index) {
    const double x = gap + static_cast<double>(index % 2) * (chart_width + gap);
    const double y = head + static_cast<double>(index / 2) * (chart_height + caption);
    std::string svg =
        fmt::format("<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n", x, y + 12, output::markup(chart.title));
    double key_x = x + 58;
    for (const output::ChartLine& line : chart.lines) {
        if (chart.lines.size() < 2) break;
        svg += fmt::format("<text class=\"key s{}\" x=\"{:.1f}\" y=\"{:.1f}\">\u25cf {}</text>\n", line.color, key_x,
                           y + 28, output::markup(line.name));
        key_x += 24 + 6.2 * static_cast<double>(line.name.size());
    }
    return svg + fmt::format("<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">\n{}</svg>\n", x, y + 30, chart_width,
                             chart_height, output::chart_svg(chart));
}

}  // namespace

std::string scale_plot(const ScaleResults& results) {
    const Chart charts[] = {
        cost_chart(results, Axis::maps, "what an audit adds to an operation, over maps"),
        cost_chart(results, Axis::threads, "what an audit adds to an operation, over threads"),
        cost_chart(results, Axis::rate, "what an audit adds to an operation, over operations a second"),
        aggregation_chart(results),
    };
    const double width = 2 * chart_width + 3 * gap, height = head + 2 * (chart_height + caption) + foot;
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n{2}"
        "<rect class=\"paper\" width=\"{0}\" height=\"{1}\"/>\n"
        "<text class=\"note\" x=\"{3}\" y=\"24\">{4}; {5}; level full, CPU time, medians of {6} rounds</text>\n",
        width, height, style, gap, output::markup(results.machine), results.date,
        results.figures.at(0).added_ns.size());
    for (std::size_t i = 0; i < std::size(charts); ++i) svg += panel(charts[i], i);
    return svg + "</svg>\n";
}

}  // namespace mapaudit::bench
