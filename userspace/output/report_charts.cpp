// SPDX-License-Identifier: Apache-2.0
//
// The charts of a report's page: what changed over the run, for the maps with most calls.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "output/format.hpp"
#include "output/line_chart.hpp"
#include "output/markup.hpp"
#include "output/report_page.hpp"
#include "output/row_table.hpp"
#include "output/view.hpp"

namespace mapaudit::output {
namespace {

using SeriesId = std::pair<model::MapId, model::Op>;  // none: of all operations

struct Series {
    std::string name;
    std::uint64_t calls = 0;
    std::vector<const RecordedRow*> rows;
};

// By map, and by operation where told so; those with most calls first, each with its colour on every chart.
std::vector<Series> series_of(const Recording& recording, bool by_op) {
    std::map<SeriesId, Series> all;
    for (const RecordedRow& recorded : recording.intervals) {
        const model::Row& row = recorded.row;
        if (row.op == model::Op::none || (by_op && row.op == model::Op::grow)) continue;
        Series& series = all[{row.map->id, by_op ? row.op : model::Op::none}];
        if (series.rows.empty()) {
            series.name = map_label(*row.map, recording.many_pids);
            if (by_op) series.name.append(" ").append(op_name(row.op));
        }
        series.calls += row.calls;
        // A map as such needs one row of an interval: all of them say the same of it.
        if (by_op || series.rows.empty() || series.rows.back()->elapsed_s != recorded.elapsed_s)
            series.rows.push_back(&recorded);
    }
    std::vector<Series> sorted;
    for (auto& [id, series] : all) sorted.push_back(std::move(series));
    std::stable_sort(sorted.begin(), sorted.end(), [](const Series& a, const Series& b) { return a.calls > b.calls; });
    return sorted;
}

using Figure = std::optional<double> (*)(const model::Row&);

std::string panel(const std::string& title, const std::vector<Series>& all, Figure figure, std::string (*label)(double),
                  double seconds, const std::string& own_legend = {}) {
    Chart chart{title, {}, seconds, 0, label};
    for (std::size_t i = 0; i < std::min(all.size(), chart_colors); ++i) {
        ChartLine line{all[i].name, i, {}};
        for (const RecordedRow* recorded : all[i].rows) {
            const std::optional<double> value = figure(recorded->row);
            line.points.push_back({recorded->elapsed_s, value.value_or(0), !value.has_value()});
        }
        chart.lines.push_back(std::move(line));
    }
    const std::string svg = chart_svg(chart);
    if (svg.empty()) return {};
    return "<figure><figcaption>" + markup(title) + "</figcaption>\n" + svg + own_legend + "</figure>\n";
}

std::string legend(const std::vector<Series>& all) {
    std::string html = "<ul class=\"legend\">";
    const std::size_t shown = std::min(all.size(), chart_colors);
    for (std::size_t i = 0; i < shown; ++i) html += fmt::format("<li class=\"s{}\">{}</li>", i, markup(all[i].name));
    if (all.size() > shown)
        html += fmt::format("<li class=\"rest\">… and {} with fewer calls, not drawn</li>", all.size() - shown);
    return html + "</ul>\n";
}

std::string whole_number(double value) { return value < 1e6 ? fmt::format("{:.0f}", value) : rate(value); }
std::string nanoseconds(double ns) { return ns == 0 ? "0" : duration(ns); }
std::string per_second(double value) { return value == 0 ? "0" : rate(value); }
std::string share(double value) { return fmt::format("{:g} %", 100 * value); }

std::optional<double> calls_per_s(const model::Row& row) { return row.calls_per_s; }
std::optional<double> p99(const model::Row& row) { return row.p99_ns; }
std::optional<double> buckets(const model::Row& row) {
    return row.buckets ? std::optional(static_cast<double>(*row.buckets)) : std::nullopt;
}

}  // namespace

std::string charts_html(const Recording& recording) {
    if (recording.intervals.empty()) return "<p>The file has no intervals.</p>\n";
    const std::vector<Series> by_op = series_of(recording, true), by_map = series_of(recording, false);
    std::string html = legend(by_op) + "<div class=\"charts\">\n";
    html += panel("calls per second", by_op, calls_per_s, per_second, recording.seconds);
    html += panel("p99 of each interval", by_op, p99, nanoseconds, recording.seconds);
    html += panel("share of the time spent waiting for the lock", by_op, model::wait_share, share, recording.seconds);
    html += panel("buckets, by map", by_map, buckets, whole_number, recording.seconds, legend(by_map));
    return html + "</div>\n";
}

}  // namespace mapaudit::output
