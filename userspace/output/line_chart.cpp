// SPDX-License-Identifier: Apache-2.0
#include "output/line_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "output/markup.hpp"

namespace mapaudit::output {
namespace {

constexpr double width = 560, height = 220, left = 58, right = 10, top = 10, bottom = 26;
constexpr std::size_t most_points = 600, fewest_marked = 60;

struct Scale {
    double x_end, y_end;
    double x(double value) const { return left + (width - left - right) * value / x_end; }
    double y(double value) const { return height - bottom - (height - top - bottom) * value / y_end; }
};

std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points) {
    if (points.size() <= most_points) return points;
    std::vector<ChartPoint> kept;
    const std::size_t stretch = (points.size() + most_points - 1) / most_points;
    for (std::size_t at = 0; at < points.size(); at += stretch) {
        const auto begin = points.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = points.begin() + static_cast<std::ptrdiff_t>(std::min(at + stretch, points.size()));
        kept.push_back(*std::max_element(
            begin, end, [](const ChartPoint& a, const ChartPoint& b) { return a.gap != b.gap ? a.gap : a.y < b.y; }));
    }
    return kept;
}

std::string seconds_label(double seconds) {
    if (seconds >= 7200) return fmt::format("{:g}h", seconds / 3600);
    if (seconds >= 120) return fmt::format("{:g}min", seconds / 60);
    return fmt::format("{:g}s", seconds);
}

// Hours and minutes have sixty parts: steps that are round in them.
double time_step(double range, int most) {
    if (range < 120) return tick_step(range, most);
    for (const double step : {15., 30., 60., 120., 300., 600., 900., 1800., 3600., 7200., 14400., 21600., 43200.})
        if (range / step <= most) return step;
    return tick_step(range / 86400, most) * 86400;
}

// Where a point is, in words.
std::string x_text(const Chart& chart, double x) {
    for (const ChartTick& tick : chart.x_ticks)
        if (tick.x == x) return markup(tick.label);
    return chart.x_ticks.empty() ? seconds_label(std::round(x * 10) / 10) : fmt::format("{:g}", x);
}

void append_axes(std::string& svg, const Chart& chart, const Scale& scale) {
    const double y_step = tick_step(scale.y_end, 5);
    for (double value = 0; value <= scale.y_end * 1.0001; value += y_step)
        svg += fmt::format(
            "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>"
            "<text class=\"tick y\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
            left, scale.y(value), width - right, scale.y(value), left - 6, scale.y(value) + 3.5,
            markup(chart.y_label(value)));
    const auto append_x_tick = [&](double value, const std::string& label) {
        svg += fmt::format("<text class=\"tick x\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", scale.x(value),
                           height - bottom + 16, label);
    };
    for (const ChartTick& tick : chart.x_ticks) append_x_tick(tick.x, markup(tick.label));
    if (!chart.x_ticks.empty()) return;
    const double x_step = time_step(scale.x_end, 7);
    for (double value = 0; value <= scale.x_end * 1.0001; value += x_step) append_x_tick(value, seconds_label(value));
}

void append_line(std::string& svg, const ChartLine& line, const Chart& chart, const Scale& scale) {
    const std::vector<ChartPoint> points = thinned(line.points);
    std::string path, marks;
    bool down = false;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const ChartPoint& point = points[i];
        const bool was_down = std::exchange(down, !point.gap);
        if (point.gap) continue;
        const double x = scale.x(point.x), y = scale.y(point.y);
        path += fmt::format("{}{:.1f} {:.1f}", was_down ? "L" : "M", x, y);
        const bool alone = !was_down && (i + 1 == points.size() || points[i + 1].gap);
        if (points.size() > fewest_marked && !alone) continue;
        marks += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}: {} at {}</title></circle>", x, y,
                             points.size() > fewest_marked / 2 ? 2 : 2.6, markup(line.name),
                             markup(chart.y_label(point.y)), x_text(chart, point.x));
    }
    if (path.empty()) return;
    svg += fmt::format("<g class=\"line s{}\"><path d=\"{}\"><title>{}</title></path>{}</g>\n",
                       line.color % chart_colors, path, markup(line.name), marks);
}

}  // namespace

double tick_step(double range, int most) {
    if (!(range > 0) || most < 1) return 1;
    const double rough = range / most;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1., 2., 5.})
        if (factor * power >= rough * 0.9999) return factor * power;
    return 10 * power;
}

std::string chart_svg(const Chart& chart) {
    double highest = chart.y_least_end, x_end = chart.x_end;
    bool any = false;
    for (const ChartLine& line : chart.lines)
        for (const ChartPoint& point : line.points) {
            x_end = std::max(x_end, point.x);
            if (point.gap) continue;
            any = true;
            highest = std::max(highest, point.y);
        }
    if (!any) return {};
    const double step = tick_step(highest > 0 ? highest : 1, 5);
    const Scale scale{x_end > 0 ? x_end : 1, std::max(step, std::ceil(highest / step * 0.9999) * step)};
    std::string svg = fmt::format("<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width,
                                  height, markup(chart.title));
    append_axes(svg, chart, scale);
    for (const ChartLine& line : chart.lines) append_line(svg, line, chart, scale);
    return svg + "</svg>\n";
}

}  // namespace mapaudit::output
