// SPDX-License-Identifier: Apache-2.0
#include "output/row_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "output/format.hpp"
#include "output/view.hpp"

namespace mapaudit::output {

namespace {

struct ColumnSpec {
    std::string_view title;
    std::size_t width;
};

// By Column; a blank stands before each.
constexpr std::array<ColumnSpec, 15> specs{{{"CALLS", 12},
                                            {"CALLS/s", 7},
                                            {"P50", 6},
                                            {"P90", 6},
                                            {"P99", 6},
                                            {"P99.9", 6},
                                            {"MAX", 6},
                                            {"WAIT%", 5},
                                            {"WAITING", 7},
                                            {"CPU%", 5},
                                            {"SIZE", 7},
                                            {"BUCKETS", 7},
                                            {"BKTS/s", 7},
                                            {"LOAD", 5},
                                            {"GROWS", 5}}};

// What a narrow terminal goes without first. CALLS and CALLS/s stay to the last.
constexpr std::array<Column, 13> dispensable{
    Column::waiting, Column::p90,     Column::p999,  Column::bucket_rate, Column::size, Column::load, Column::wait,
    Column::cpu,     Column::buckets, Column::grows, Column::p50,         Column::max,  Column::p99};

constexpr std::size_t op_width = 6, who_width = 11, narrowest_map = 16;

const ColumnSpec& spec(Column column) { return specs[static_cast<std::size_t>(column)]; }

std::string or_dash(const std::optional<double>& ns) { return ns ? duration(*ns) : "-"; }

std::string or_dash(const std::optional<std::uint64_t>& n) { return n ? count(*n) : "-"; }

std::string cell(const model::Row& row, Column column) {
    switch (column) {
        case Column::calls:
            return fmt::format("{}{}", std::isinf(row.error) ? "≥" : row.estimated ? "≈" : "", row.calls);
        case Column::calls_per_s: return rate(row.calls_per_s);
        case Column::p50: return or_dash(row.p50_ns);
        case Column::p90: return or_dash(row.p90_ns);
        case Column::p99: return or_dash(row.p99_ns);
        case Column::p999: return or_dash(row.p999_ns);
        case Column::max: return or_dash(row.max_ns);
        case Column::wait: {
            const std::optional<double> share = wait_share(row);
            return share ? fmt::format("{:.1f}", *share * 100) : "-";
        }
        case Column::waiting: {
            const std::optional<double> threads = threads_waiting(row);
            return threads ? fmt::format("{:.2f}", *threads) : "-";
        }
        case Column::cpu: return row.cpu_share ? fmt::format("{:.1f}", *row.cpu_share * 100) : "-";
        case Column::size: return or_dash(row.size);
        case Column::buckets: return or_dash(row.buckets);
        case Column::bucket_rate: return rate(row.buckets_per_s);
        case Column::load: return row.load_factor ? fmt::format("{:.2f}", *row.load_factor) : "-";
        case Column::grows: return count(row.grows);
    }
    return {};
}

std::string who(const model::Row& row) {
    if (row.cpu) return fmt::format("cpu {}", *row.cpu);
    if (row.tid) return fmt::format("tid {}", *row.tid);
    return "all";
}

std::size_t width_of(const TableOptions& options) {
    std::size_t width = options.map_width + 1 + op_width + (options.who ? 1 + who_width : 0);
    for (const Column column : options.columns) width += 1 + spec(column).width;
    return width;
}

void shrink_to_width(TableOptions& options) {
    if (options.width == 0) return;
    const auto shrink_map = [&] {
        const std::size_t width = width_of(options);
        const std::size_t excess = width > options.width ? width - options.width : 0;
        const std::size_t floor = std::min(narrowest_map, options.map_width);
        options.map_width = std::max(floor, options.map_width - std::min(options.map_width, excess));
    };
    const std::size_t wanted_map_width = options.map_width;
    for (const Column column : dispensable) {
        shrink_map();
        if (width_of(options) <= options.width) break;
        options.map_width = wanted_map_width;
        std::erase(options.columns, column);
    }
    shrink_map();
}

}  // namespace

std::string map_name(const model::MapDescription& map, bool with_pid) {
    std::string name;
    if (with_pid) name = fmt::format("{}:", map.id.pid);
    name += map.name.empty() ? fmt::format("#{}", map.number) : escape(map.name);
    return name;
}

std::string map_label(const model::MapDescription& map, bool with_pid) {
    std::string label = map_name(map, with_pid);
    if (!map.kind.empty()) label += "(" + escape(map.kind) + ")";
    return label;
}

std::vector<Column> live_columns() {
    return {Column::calls_per_s, Column::p50,         Column::p90,     Column::p99,  Column::p999,
            Column::max,         Column::wait,        Column::waiting, Column::cpu,  Column::size,
            Column::buckets,     Column::bucket_rate, Column::load,    Column::grows};
}

Table::Table(TableOptions options) : options_(std::move(options)) { shrink_to_width(options_); }

std::string Table::header() const {
    std::string text = fit_left("MAP(kind)", options_.map_width) + ' ' + fit_left("OP", op_width);
    if (options_.who) text += ' ' + fit_left("CPU/THREAD", who_width);
    for (const Column column : options_.columns) text += ' ' + fit_right(spec(column).title, spec(column).width);
    return text;
}

std::string Table::line(const model::Row& row) const {
    std::string text =
        fit_left(map_label(*row.map, options_.pid), options_.map_width) + ' ' + fit_left(op_name(row.op), op_width);
    if (options_.who) text += ' ' + fit_left(who(row), who_width);
    for (const Column column : options_.columns) text += ' ' + fit_right(cell(row, column), spec(column).width);
    return text;
}

}  // namespace mapaudit::output
