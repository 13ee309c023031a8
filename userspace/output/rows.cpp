// SPDX-License-Identifier: Apache-2.0
#include "output/rows.hpp"

#include <fmt/format.h>

#include <utility>

#include "output/format.hpp"
#include "output/headline_text.hpp"
#include "output/ledger.hpp"

namespace mapaudit::output {

namespace {

constexpr std::size_t lines_between_headers = 40;

}  // namespace

RowStream::RowStream(OutputFile file, View view)
    : file_(std::move(file)), view_(std::move(view)), lines_since_header_(lines_between_headers) {}

Result<void> RowStream::write(const model::Report& report) {
    if (report.scope == model::Scope::total) return {};
    const bool pid_shown = report.targets.size() > 1;
    if (std::exchange(pid_shown_, pid_shown) != pid_shown) lines_since_header_ = lines_between_headers;
    const Table table({.columns = live_columns(), .who = view_.per_cpu || view_.per_thread, .pid = pid_shown});
    const std::string time = clock_utc(report.time) + ' ';
    std::string text;
    if (const HeadlineLine headline = headline_line(report, view_); headline.trouble)
        text += time + "# " + headline.text + '\n';
    const std::vector<const model::Row*> shown = select_rows(report.rows, view_);
    for (const model::Row* row : shown) {
        if (lines_since_header_++ >= lines_between_headers) {
            text += fit_left("TIME", time.size()) + table.header() + '\n';
            lines_since_header_ = 1;
        }
        text += time + table.line(*row) + '\n';
    }
    if (shown.empty()) text += time + "# " + why_empty(report) + '\n';
    if (const std::uint64_t lost = report.ledger.lost_total(); std::exchange(lost_before_, lost) < lost)
        text += time + "# " + ledger_line(report.ledger) + '\n';
    if (const std::string overhead = overhead_line(report.overhead); !overhead.empty())
        text += time + "# target slowed down: " + overhead + "; mapaudit itself: " + self_line(report.self) + '\n';
    return file_.write(text);
}

}  // namespace mapaudit::output
