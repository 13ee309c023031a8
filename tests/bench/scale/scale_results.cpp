// SPDX-License-Identifier: Apache-2.0
#include "scale/scale_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "subject.hpp"

namespace mapaudit::bench {
namespace {

constexpr double flat_percent = 15, startup_limit_ms = 150;

double least(const std::vector<double>& values) { return *std::ranges::min_element(values); }
double most(const std::vector<double>& values) { return *std::ranges::max_element(values); }

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

using Lines = std::vector<std::vector<std::string>>;  // the first is the header

void print(std::ostream& out, const Lines& lines, bool markdown) {
    std::vector<std::size_t> widths(lines[0].size());
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    for (std::size_t row = 0; row < lines.size(); ++row) {
        for (std::size_t i = 0; i < widths.size(); ++i)
            out << (markdown ? fmt::format("| {} ", lines[row][i])
                             : fmt::format("{}{:>{}}", i == 0 ? "" : "  ", lines[row][i], widths[i]));
        out << (markdown ? "|\n" : "\n");
        if (markdown && row == 0) {
            for (std::size_t i = 0; i < widths.size(); ++i) out << "|--:";
            out << "|\n";
        }
    }
}

std::vector<std::string> table_line(const ScaleFigures& f) {
    const double added = median_of_rounds(f.added_ns);
    return {std::to_string(f.point.maps),
            std::to_string(f.point.threads),
            rate_label(f.point.rate),
            std::to_string(f.point.keys),
            f.point.chained ? "chained" : "independent",
            joined(f.point.options) + (f.point.csv ? " --csv" : ""),
            fmt::format("{:.2f}M", median_of_rounds(f.ops_per_s) / 1e6),
            fmt::format("{:.1f}", median_of_rounds(f.plain_ns)),
            fmt::format("{:.1f}", added),
            fmt::format("{:.1f} .. {:.1f}", least(f.added_ns), most(f.added_ns)),
            fmt::format("{:.0f}", median_of_rounds(f.startup_ms)),
            fmt::format("{:.2f}", median_of_rounds(f.auditor_cpu)),
            fmt::format("{:.1f}", f.rss_mib),
            fmt::format("{:.1f}", f.kernel_mib),
            std::to_string(f.seen)};
}

double rise_percent(double first, double last) { return 100 * (last / first - 1); }

void print_goal(std::ostream& out, const std::string& what, double value, double limit, const char* unit) {
    out << fmt::format("  {:<6} {}: {:.1f}{} (goal: at most {}{})\n", value <= limit ? "met" : "MISSED", what, value,
                       unit, limit, unit);
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

}  // namespace

const ScaleFigures& ScaleResults::find(const ScalePoint& point) const {
    const auto found = std::ranges::find(figures, point, &ScaleFigures::point);
    if (found == figures.end()) throw BenchError("a point was not measured");
    return *found;
}

double median_of_rounds(std::vector<double> values) {
    if (values.empty()) throw BenchError("a median of nothing");
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void print_scale_tables(std::ostream& out, const ScaleResults& results, bool markdown) {
    out << fmt::format("\n{}\n{}, medians of {} rounds\n\n", results.machine, results.date,
                       results.figures.at(0).added_ns.size());
    Lines lines{{"maps", "threads", "ops/s asked", "keys", "operations are", "options", "ops/s done", "ns/op alone",
                 "added", "least .. most", "start-up ms", "CPU %", "MiB", "kernel MiB", "operations seen"}};
    for (const ScaleFigures& figures : results.figures) lines.push_back(table_line(figures));
    print(out, lines, markdown);

    Lines aggregation_lines{
        {"intervals", "maps seen", "ns/interval first", "last", "heap MiB first", "last", "totals ms"}};
    for (const AggregationFigures& aggregator : results.aggregators) {
        const AggregationStretch &first = aggregator.stretches.front(), &last = aggregator.stretches.back();
        aggregation_lines.push_back({fmt::format("{} ({})", last.intervals, aggregator.name),
                                     std::to_string(aggregator.maps_seen), fmt::format("{:.0f}", first.ns_per_interval),
                                     fmt::format("{:.0f}", last.ns_per_interval), fmt::format("{:.3f}", first.heap_mib),
                                     fmt::format("{:.3f}", last.heap_mib),
                                     fmt::format("{:.2f}", aggregator.totals_ms)});
    }
    out << '\n';
    print(out, aggregation_lines, markdown);
}

void print_scale_goals(std::ostream& out, const ScaleResults& results) {
    out << "\ngoals\n";
    for (const ScaleSeries& series : results.series) {
        const double first = median_of_rounds(results.find(series.points.front()).added_ns);
        double highest = first;
        for (const ScalePoint& point : series.points)
            highest = std::max(highest, median_of_rounds(results.find(point).added_ns));
        print_goal(out,
                   fmt::format("{}, cost of an operation ({:.1f} ns) over the first point's ({:.1f} ns)", series.name,
                               highest, first),
                   rise_percent(first, highest), flat_percent, " %");
    }
    const ScaleFigures& many = results.find(many_maps_point());
    print_goal(out, fmt::format("start-up at {} maps", many.point.maps), median_of_rounds(many.startup_ms),
               startup_limit_ms, " ms");
    const ScaleFigures &bounded = results.find(bounded_maps_point()),
                       &few = results.find(as_many_maps_as_bounded_point());
    print_goal(out,
               fmt::format("kernel memory at {} maps with {}, over that at {} maps", bounded.point.maps,
                           joined(bounded.point.options), few.point.maps),
               rise_percent(few.kernel_mib, bounded.kernel_mib), flat_percent, " %");
    for (const AggregationFigures& aggregator : results.aggregators) {
        const AggregationStretch &first = aggregator.stretches.front(), &last = aggregator.stretches.back();
        print_goal(out,
                   fmt::format("{} intervals, {}: CPU an interval, last over first", last.intervals, aggregator.name),
                   rise_percent(first.ns_per_interval, last.ns_per_interval), flat_percent, " %");
        print_goal(out, fmt::format("{} intervals, {}: memory, last over first", last.intervals, aggregator.name),
                   rise_percent(first.heap_mib, last.heap_mib), flat_percent, " %");
    }
}

void write_scale_csv(std::ostream& out, const ScaleResults& results) {
    out << "maps,threads,rate_per_s,keys,chained,options,csv,rounds,ops_per_s,plain_ns_per_op,audited_ns_per_op,";
    out << "added_ns_median,added_ns_least,added_ns_most,startup_ms,auditor_cpu_percent,auditor_rss_mib,kernel_mib,";
    out << "ops_done,ops_seen,date,machine\n";
    for (const ScaleFigures& f : results.figures) {
        out << fmt::format("{},{},{},{},{},{},{},{},", f.point.maps, f.point.threads, f.point.rate, f.point.keys,
                           f.point.chained ? 1 : 0, quoted(joined(f.point.options)), f.point.csv ? 1 : 0,
                           f.added_ns.size());
        out << fmt::format("{:.0f},{:.3f},{:.3f},{:.3f},{:.3f},{:.3f},", median_of_rounds(f.ops_per_s),
                           median_of_rounds(f.plain_ns), median_of_rounds(f.audited_ns), median_of_rounds(f.added_ns),
                           least(f.added_ns), most(f.added_ns));
        out << fmt::format("{:.1f},{:.3f},{:.1f},{:.1f},{},{},{},{}\n", median_of_rounds(f.startup_ms),
                           median_of_rounds(f.auditor_cpu), f.rss_mib, f.kernel_mib, f.done, f.seen, results.date,
                           quoted(results.machine));
    }
}

}  // namespace mapaudit::bench
