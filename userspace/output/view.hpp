// SPDX-License-Identifier: Apache-2.0
//
// Which rows are shown, and in which order: shared by the live screen and the row stream. What is recorded in files is
// not a view's business, but for the filter, which the caller may apply to a whole report (keep_matching).
#pragma once

#include <cstddef>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "model/report.hpp"
#include "util/result.hpp"

namespace mapaudit::output {

// --map REGEX: ECMAScript, found anywhere in the map's name ("#7" for the nameless map 7).
class MapFilter {
public:
    MapFilter() = default;  // lets everything through
    static Result<MapFilter> make(const std::string& pattern);

    // Rows of what belongs to no map always match: loss is never hidden.
    bool matches(const model::MapDescription& map) const;
    // A row of what belongs to no map is never hidden.
    bool matches(const model::Row& row) const { return row.op == model::Op::none || matches(*row.map); }

private:
    std::optional<std::regex> regex_;
};

// Takes the rows of other maps out of the report; the ledger stays.
void keep_matching(model::Report& report, const MapFilter& filter);

// `trouble` is the time that calls waited for locks, among equals the time that they took, then their number.
enum class SortColumn {
    trouble,
    calls,
    p50,
    p90,
    p99,
    p999,
    max,
    wait,
    waiting,
    size,
    buckets,
    load,
    grows,
    cpu,
    name
};

Result<SortColumn> sort_column(std::string_view name);
std::string_view sort_column_name(SortColumn column);
// The next one, and after the last the first again.
SortColumn next_sort_column(SortColumn column);

struct View {
    std::size_t top = 0;  // maps shown; 0: all
    SortColumn sort = SortColumn::trouble;
    MapFilter filter;
    bool per_cpu = false;
    bool per_thread = false;
};

// How many threads were waiting for the map's lock in this operation at a time, on average: time waited over time
// passed (Little's law). Empty where nothing was timed.
std::optional<double> threads_waiting(const model::Row& row);

// The rows to show: largest first (names: in their order), each followed by its CPUs and threads where asked for.
// Pointers into `rows`, which must be in a report's order.
std::vector<const model::Row*> select_rows(const std::vector<model::Row>& rows, const View& view);

}  // namespace mapaudit::output
