// SPDX-License-Identifier: Apache-2.0
//
// An audit read back from its CSV.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/report.hpp"
#include "util/result.hpp"

namespace mapaudit::output {

struct RecordedRow {
    double elapsed_s = 0;
    model::Row row;
};

struct Recording {
    // What rows' maps name as their source; shared by copies of the recording.
    std::shared_ptr<std::map<std::string, model::SourceTraits>> sources =
        std::make_shared<std::map<std::string, model::SourceTraits>>();
    std::string begin, end;  // the first and the last row's time, as they stand in the file
    double seconds = 0;      // the longest elapsed_s
    bool many_pids = false;
    bool ended = false;                  // it has rows of scope total
    std::vector<RecordedRow> intervals;  // of all CPUs and threads, in the file's order
    std::vector<model::Row> totals;      // likewise; of an audit that was killed, calls and conflicts summed up
};

// True where the first line is the header of our CSV, or of an older or newer version of it.
bool looks_like_recording(std::string_view text);

// Columns are found by their names; unknown ones are passed over, absent ones are empty. Fails, with the line's number,
// on what is no number, and on a row that is shorter or longer than the header. `name` is the file's, for messages.
Result<Recording> read_recording(std::string_view text, const std::string& name);

}  // namespace mapaudit::output
