// SPDX-License-Identifier: Apache-2.0
#include "output/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "output/format.hpp"

namespace mapaudit::output {

namespace {

constexpr std::array<std::string_view, 15> sort_names{"trouble", "calls", "p50",   "p90",     "p99",
                                                      "p999",    "max",   "wait",  "waiting", "size",
                                                      "buckets", "load",  "grows", "cpu",     "name"};

// libstdc++ matches recursively, a stack frame a character or so: a name longer than any real one is cut for it.
constexpr std::size_t longest_matched_name = 4096;

// Below every real figure, so that what is unknown comes last.
constexpr double unknown = -std::numeric_limits<double>::infinity();

double as_double(const std::optional<std::uint64_t>& value) { return value ? static_cast<double>(*value) : unknown; }

// What a row is sorted by, the first figure first.
using SortValue = std::array<double, 3>;

SortValue trouble(const model::Row& row) {
    return {row.wait_total_ns, model::time_spent_ns(row), static_cast<double>(row.calls)};
}

double figure(const model::Row& row, SortColumn column) {
    switch (column) {
        case SortColumn::calls: return static_cast<double>(row.calls);
        case SortColumn::p50: return row.p50_ns.value_or(unknown);
        case SortColumn::p90: return row.p90_ns.value_or(unknown);
        case SortColumn::p99: return row.p99_ns.value_or(unknown);
        case SortColumn::p999: return row.p999_ns.value_or(unknown);
        case SortColumn::max: return row.max_ns.value_or(unknown);
        case SortColumn::wait: return wait_share(row).value_or(unknown);
        case SortColumn::waiting: return threads_waiting(row).value_or(unknown);
        case SortColumn::size: return as_double(row.size);
        case SortColumn::buckets: return as_double(row.buckets);
        case SortColumn::load: return row.load_factor.value_or(unknown);
        case SortColumn::grows: return static_cast<double>(row.grows);
        case SortColumn::cpu: return row.cpu_share.value_or(unknown);
        case SortColumn::trouble:
        case SortColumn::name: break;
    }
    return 0;
}

SortValue sort_value(const model::Row& row, SortColumn column) {
    return column == SortColumn::trouble ? trouble(row) : SortValue{figure(row, column)};
}

// A map x op: its row for all CPUs and threads, which comes first, and those of single ones.
struct Block {
    std::size_t begin, end;
    SortValue value;
};

std::vector<Block> matching_blocks(const std::vector<model::Row>& rows, const View& view) {
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < rows.size();) {
        const std::size_t begin = i++;
        while (i < rows.size() && (rows[i].cpu || rows[i].tid)) ++i;
        const model::Row& row = rows[begin];
        if (row.op != model::Op::none && view.filter.matches(row))
            blocks.push_back({begin, i, sort_value(row, view.sort)});
    }
    return blocks;
}

// Cuts the sorted blocks down to those of the first `top` maps in them.
void keep_top_maps(std::vector<Block>& blocks, const std::vector<model::Row>& rows, std::size_t top) {
    if (top == 0) return;
    std::set<model::MapId> maps;
    std::erase_if(blocks, [&](const Block& block) {
        const model::MapId& map = rows[block.begin].map->id;
        if (maps.contains(map)) return false;
        if (maps.size() == top) return true;
        maps.insert(map);
        return false;
    });
}

}  // namespace

Result<MapFilter> MapFilter::make(const std::string& pattern) {
    MapFilter filter;
    try {
        filter.regex_.emplace(pattern, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
        return Error::of(Failure::usage,
                         fmt::format("\"{}\" is no regular expression: {}", escape(pattern), error.what()),
                         "a plain part of the name will do; escape the characters .*+?()[]{}|^$\\ with a backslash");
    }
    return filter;
}

bool MapFilter::matches(const model::MapDescription& map) const {
    if (!regex_) return true;
    const std::string name = map.name.empty() ? fmt::format("#{}", map.number) : map.name;
    try {
        return std::regex_search(
            name.begin(), name.begin() + static_cast<std::ptrdiff_t>(std::min(name.size(), longest_matched_name)),
            *regex_);
    } catch (const std::regex_error&) {
        return true;  // too complex for this name: shown rather than hidden
    }
}

void keep_matching(model::Report& report, const MapFilter& filter) {
    std::erase_if(report.rows, [&](const model::Row& row) { return !filter.matches(row); });
}

Result<SortColumn> sort_column(std::string_view name) {
    const auto found = std::find(sort_names.begin(), sort_names.end(), name);
    if (found == sort_names.end())
        return Error::of(Failure::usage, fmt::format("cannot sort by \"{}\"", escape(name)),
                         fmt::format("one of {}", fmt::join(sort_names, ", ")));
    return static_cast<SortColumn>(found - sort_names.begin());
}

std::string_view sort_column_name(SortColumn column) { return sort_names[static_cast<std::size_t>(column)]; }

SortColumn next_sort_column(SortColumn column) {
    return static_cast<SortColumn>((static_cast<std::size_t>(column) + 1) % sort_names.size());
}

std::optional<double> threads_waiting(const model::Row& row) {
    if (!row.mean_ns || row.calls == 0) return {};
    const double seconds_waited = row.wait_total_ns / 1e9;
    return seconds_waited * row.calls_per_s / static_cast<double>(row.calls);
}

std::vector<const model::Row*> select_rows(const std::vector<model::Row>& rows, const View& view) {
    std::vector<Block> blocks = matching_blocks(rows, view);
    // Stable, so that equals keep the report's order and the screen does not flicker.
    if (view.sort == SortColumn::name) {
        std::stable_sort(blocks.begin(), blocks.end(), [&](const Block& a, const Block& b) {
            return rows[a.begin].map->name < rows[b.begin].map->name;
        });
    } else {
        std::stable_sort(blocks.begin(), blocks.end(),
                         [](const Block& a, const Block& b) { return a.value > b.value; });
    }
    keep_top_maps(blocks, rows, view.top);
    std::vector<const model::Row*> shown;
    for (const Block& block : blocks) {
        shown.push_back(&rows[block.begin]);
        for (std::size_t i = block.begin + 1; i < block.end; ++i) {
            if (rows[i].cpu ? view.per_cpu : view.per_thread) shown.push_back(&rows[i]);
        }
    }
    return shown;
}

}  // namespace mapaudit::output
