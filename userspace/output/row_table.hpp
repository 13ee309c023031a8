// SPDX-License-Identifier: Apache-2.0
//
// The table that people read: one line a row of a report, in columns that fit the width there is.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/report.hpp"

namespace mapaudit::output {

// "users", "#7" where it has no name; escaped. With the kind: "users(go_map)".
std::string map_name(const model::MapDescription& map, bool with_pid);
std::string map_label(const model::MapDescription& map, bool with_pid);

enum class Column {
    calls,
    calls_per_s,
    p50,
    p90,
    p99,
    p999,
    max,
    wait,
    waiting,
    cpu,
    size,
    buckets,
    bucket_rate,
    load,
    grows
};

struct TableOptions {
    std::vector<Column> columns;  // after MAP(kind) and OP
    std::size_t width = 0;        // of a line, 0: any. The map's column shrinks first, then columns are left out
    std::size_t map_width = 28;
    bool who = false;  // a column for CPU or thread
    bool pid = false;  // the process before the map's name
};

class Table {
public:
    explicit Table(TableOptions options);

    std::string header() const;
    std::string line(const model::Row& row) const;

private:
    TableOptions options_;
};

// All but the number of calls.
std::vector<Column> live_columns();

}  // namespace mapaudit::output
