// SPDX-License-Identifier: Apache-2.0
//
// The tables of a report's page: totals, growth, conflicts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "output/format.hpp"
#include "output/markup.hpp"
#include "output/report_page.hpp"
#include "output/row_table.hpp"
#include "output/view.hpp"

namespace mapaudit::output {
namespace {

using Rows = std::vector<const model::Row*>;

constexpr std::size_t most_rows = 200;

// The totals that `chosen` holds of, greatest figure first.
Rows chosen_rows(const Recording& recording, const std::function<bool(const model::Row&)>& chosen,
                 const std::function<std::uint64_t(const model::Row&)>& figure) {
    Rows rows;
    for (const model::Row& row : recording.totals)
        if (row.op != model::Op::none && chosen(row)) rows.push_back(&row);
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const model::Row* a, const model::Row* b) { return figure(*a) > figure(*b); });
    return rows;
}

std::string cell(const std::string& text) { return "<td>" + markup(text) + "</td>"; }

std::string time_cell(const std::optional<double>& ns) { return cell(ns ? duration(*ns) : "–"); }

// With a bar behind it, so that a glance finds the great ones.
std::string bar_cell(const std::string& text, double share) {
    return fmt::format("<td class=\"bar\" style=\"--part:{:.1f}%\">{}</td>", 100 * std::clamp(share, 0., 1.),
                       markup(text));
}

std::string name_cells(const model::Row& row, bool pid) {
    return fmt::format("<th scope=\"row\">{}</th><td class=\"op\">{}</td>", markup(map_label(*row.map, pid)),
                       markup(op_name(row.op)));
}

std::string table(const std::string& header, const std::string& body, std::size_t left_out) {
    std::string html = "<div class=\"wide\"><table>\n<thead><tr>" + header + "</tr></thead>\n<tbody>\n" + body +
                       "</tbody></table></div>\n";
    if (left_out != 0) html += fmt::format("<p class=\"note\">… and {} more.</p>\n", left_out);
    return html;
}

std::string total_line(const model::Row& row, const Recording& recording, std::uint64_t most_calls) {
    const std::optional<double> share = wait_share(row);
    std::string line = "<tr>" + name_cells(row, recording.many_pids);
    line += bar_cell((row.estimated ? "≈ " : "") + count(row.calls),
                     most_calls == 0 ? 0 : static_cast<double>(row.calls) / static_cast<double>(most_calls));
    line += cell(rate(row.calls_per_s));
    for (const auto& ns : {row.p50_ns, row.p90_ns, row.p99_ns, row.p999_ns, row.max_ns}) line += time_cell(ns);
    line += share ? bar_cell(percent(100 * *share), *share) : cell("–");
    return line + "</tr>\n";
}

}  // namespace

std::string totals_html(const Recording& recording) {
    const auto calls = [](const model::Row& row) { return row.calls; };
    const Rows rows = chosen_rows(
        recording, [](const model::Row& row) { return row.calls != 0; }, calls);
    if (rows.empty()) return "<p>No operation was seen.</p>\n";
    std::string body;
    const std::size_t shown = std::min(rows.size(), most_rows);
    for (std::size_t i = 0; i < shown; ++i) body += total_line(*rows[i], recording, rows[0]->calls);
    std::string html = table(
        "<th>map</th><th "
        "class=\"op\">op</th><th>calls</th><th>calls/s</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th>"
        "<th>max</th><th>wait</th>",
        body, rows.size() - shown);
    html +=
        "<p class=\"note\">Times are wall time inside the operation, the wait for the map's lock included; wait is "
        "that wait's share.";
    if (std::any_of(rows.begin(), rows.end(), [](const model::Row* row) { return row->p50_ns && row->weight > 1.005; }))
        html += " Not every call was timed: the times rest on a sample.";
    if (std::any_of(rows.begin(), rows.end(), [](const model::Row* row) { return row->estimated; }))
        html += " Figures with ≈ are estimates, scaled from a part of the time.";
    if (!recording.ended)
        html +=
            " The file has no totals: the audit did not come to its end. The intervals are added up, percentiles "
            "cannot be.";
    return html + "</p>\n";
}

std::string growth_html(const Recording& recording) {
    const Rows rows = chosen_rows(
        recording, [](const model::Row& row) { return row.op == model::Op::grow && row.grows != 0; },
        [](const model::Row& row) { return row.grows; });
    if (rows.empty()) return "<p>No map grew.</p>\n";
    std::string body;
    const std::size_t shown = std::min(rows.size(), most_rows);
    for (std::size_t i = 0; i < shown; ++i) {
        const model::Row& row = *rows[i];
        body += fmt::format("<tr><th scope=\"row\">{}</th>", markup(map_label(*row.map, recording.many_pids)));
        body += bar_cell(counted(row.grows, "time", "times"),
                         static_cast<double>(row.grows) / static_cast<double>(rows[0]->grows));
        body += cell(row.buckets ? count(*row.buckets) : "–") + cell(row.size ? count(*row.size) : "–");
        body += cell(row.load_factor ? fmt::format("{:.2f}", *row.load_factor) : "–");
        body += time_cell(row.mean_ns ? std::optional(model::time_spent_ns(row)) : std::nullopt);
        body += time_cell(row.max_ns) + "</tr>\n";
    }
    return table(
        "<th>map</th><th>grew</th><th>buckets</th><th>size</th><th>load</th><th>growing, in all</th>"
        "<th>longest</th>",
        body, rows.size() - shown);
}

std::string conflicts_html(const Recording& recording) {
    std::uint64_t operations = 0;
    for (const model::Row& row : recording.totals)
        if (row.op != model::Op::grow) operations += row.calls;
    const auto conflicts = [](const model::Row& row) { return row.conflicts_seen(); };
    const Rows rows = chosen_rows(
        recording, [](const model::Row& row) { return row.conflicts_seen() != 0; }, conflicts);
    if (rows.empty())
        return fmt::format("<p>Conflicting access: none in {} operations. An observation, not a proof.</p>\n",
                           operations);
    std::string body;
    const std::size_t shown = std::min(rows.size(), most_rows);
    for (std::size_t i = 0; i < shown; ++i)
        body += "<tr class=\"bad\">" + name_cells(*rows[i], recording.many_pids) +
                cell("observed " + counted(rows[i]->conflicts_seen(), "time", "times")) + "</tr>\n";
    return table("<th>map</th><th class=\"op\">op</th><th>conflicting access</th>", body, rows.size() - shown);
}

}  // namespace mapaudit::output
