// SPDX-License-Identifier: Apache-2.0
#include "output/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "output/blame_table.hpp"
#include "output/format.hpp"
#include "output/headline_text.hpp"
#include "output/ledger.hpp"
#include "output/row_table.hpp"

namespace mapaudit::output {

namespace {

using Rows = std::vector<const model::Row*>;

constexpr std::size_t widest_map = 40, narrowest_map = 9, most_grown_maps = 20;

std::string table_text(const Rows& rows, bool pid, const SummaryRows& wanted) {
    const std::size_t shown = std::min(wanted.most, rows.size());
    std::size_t map_width = narrowest_map;
    for (std::size_t i = 0; i < shown; ++i)
        map_width = std::max(map_width, display_width(map_label(*rows[i]->map, pid)));
    const Table table({.columns = {Column::calls, Column::calls_per_s, Column::p50, Column::p90, Column::p99,
                                   Column::p999, Column::max, Column::wait, Column::waiting},
                       .map_width = std::min(map_width, widest_map),
                       .pid = pid});
    std::string text = table.header() + '\n';
    for (std::size_t i = 0; i < shown; ++i) text += table.line(*rows[i]) + '\n';
    if (rows.size() > shown)
        text += fmt::format("... and {}{}\n", counted(rows.size() - shown, "more row", "more rows"),
                            wanted.sort == SortColumn::trouble ? ", of less trouble" : "");
    return text;
}

// "users(go_map) grew 3 times by 56 buckets to 64 (load 4.20): 1.50ms in all, 1.00ms the longest"
std::string growth_line(const model::Row& row, double seconds, bool pid) {
    std::string line = fmt::format("{} grew {}", map_label(*row.map, pid), counted(row.grows, "time", "times"));
    const auto buckets = static_cast<long long>(std::llround(row.buckets_per_s * seconds));
    line += fmt::format(" by {} buckets", buckets);
    if (row.buckets) line += fmt::format(" to {}", *row.buckets);
    if (row.load_factor) line += fmt::format(" (load {:.2f})", *row.load_factor);
    if (row.mean_ns) {
        line += fmt::format(": {} in all", duration(model::time_spent_ns(row)));
        if (row.max_ns) line += fmt::format(", {} the longest", duration(*row.max_ns));
    }
    return line;
}

// The assigns of a map that grew: what share of their time and of their slowest calls that was.
std::string growth_blame(const model::Row& grow, const Rows& rows) {
    std::string text;
    for (const model::Row* row : rows) {
        if (row->map->id != grow.map->id || row->growth.calls == 0 || !row->mean_ns) continue;
        const model::GrowthCost& cost = row->growth;
        const double all_ns = *row->mean_ns * static_cast<double>(row->timed);
        text += fmt::format("    {} of the time of {} and {} of its slowest calls, those at or above the P99 of {}",
                            percent(100 * cost.total_ns / all_ns), op_name(row->op),
                            percent(cost.slowest == 0 ? 0
                                                      : 100 * static_cast<double>(cost.slowest_grew) /
                                                            static_cast<double>(cost.slowest)),
                            duration(row->p99_ns.value_or(0)));
        if (cost.p99_without_ns) text += fmt::format(" ({} without them)", duration(*cost.p99_without_ns));
        text += '\n';
    }
    return text;
}

std::string growth_text(Rows rows, const model::Report& total) {
    const Rows every = rows;
    std::erase_if(rows, [](const model::Row* row) { return row->op != model::Op::grow || row->grows == 0; });
    if (rows.empty()) return "No map grew.\n";
    std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->grows > b->grows; });
    std::string text = "Growth:\n";
    const std::size_t shown = std::min(rows.size(), most_grown_maps);
    for (std::size_t i = 0; i < shown; ++i)
        text += "  " + growth_line(*rows[i], total.interval_s, total.targets.size() > 1) + '\n' +
                growth_blame(*rows[i], every);
    if (rows.size() > shown)
        text +=
            fmt::format("  ... and {} that grew less often\n", counted(rows.size() - shown, "more map", "more maps"));
    return text;
}

std::string estimates_text(Rows rows) {
    std::erase_if(rows, [](const auto* row) { return !row->estimated; });
    const auto unsure =
        std::stable_partition(rows.begin(), rows.end(), [](const auto* row) { return std::isfinite(row->error); });
    std::string text;
    if (unsure != rows.end())
        text = fmt::format(
            "Calls with ≥ are those seen, of more ({}): for an estimate too little was seen, or the target was short "
            "of CPU time meanwhile. A longer -d or a larger --max-overhead gives one.\n",
            counted(static_cast<std::size_t>(rows.end() - unsure), "row", "rows"));
    rows.erase(unsure, rows.end());
    if (rows.empty()) return text;
    text += "Calls with ≈ are estimates, scaled from a part of the time (column estimated of the CSV)";
    std::erase_if(rows, [](const auto* row) { return row->error == 0; });
    if (rows.empty()) return text + ".\n";
    const auto [surest, least] =
        std::minmax_element(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->error < b->error; });
    text += fmt::format(": ± {}", percent(100 * (*surest)->error));
    if ((*least)->error > (*surest)->error)
        text += fmt::format(" to ± {}, least sure {} {}", percent(100 * (*least)->error),
                            map_label(*(*least)->map, false), op_name((*least)->op));
    return text + ".\n";
}

std::string ledger_text(const model::Report& total) {
    const model::Ledger& ledger = total.ledger;
    std::string text = "Ledger: " + ledger_line(ledger) + '\n';
    if (ledger.stacks_dropped != 0 || ledger.evidence_dropped != 0)
        text += fmt::format(
            "  of the waits, conflicts and growths above, {} are shown without their stack and {} in no "
            "row of their own: more stacks than are kept\n",
            ledger.stacks_dropped, ledger.evidence_dropped);
    if (ledger.lost_total() == 0 && ledger.handled == ledger.fired) return text;
    std::uint64_t placed = 0;
    for (const model::Row& row : total.rows) {
        if (!row.is_sum() || row.op == model::Op::none || row.lost == 0) continue;
        placed += row.lost;
        text +=
            fmt::format("  {} lost: {} {}\n", row.lost, map_label(*row.map, total.targets.size() > 1), op_name(row.op));
    }
    const std::uint64_t lost = ledger.lost_total();
    if (lost > placed) text += fmt::format("  {} lost that no map is known for\n", lost - placed);
    text += "The counts above are short by what was lost.\n";
    return text;
}

}  // namespace

std::string summary_text(const model::Report& total, const EvidenceView& evidence, const SummaryRows& table) {
    const bool pid = total.targets.size() > 1;
    View view;
    view.filter = evidence.filter;
    view.sort = table.sort;
    const Rows rows = select_rows(total.rows, view);
    Rows called;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(called),
                 [](const model::Row* row) { return row->calls != 0; });

    std::string text = fmt::format("\n{}\n\nmapaudit watched {} for {}: {} known.\n\n", headline_line(total, view).text,
                                   total.targets.empty() ? "nothing" : targets_line(total, 8),
                                   duration(total.elapsed_s * 1e9), counted(total.maps, "map", "maps"));
    if (called.empty()) {
        text += fmt::format("No operation was seen: {}.\n", why_empty(total));
    } else {
        text += table_text(called, pid, table);
        if (std::any_of(called.begin(), called.end(),
                        [](const auto* row) { return row->p50_ns && row->weight > 1.005; }))
            text += "Not every call was timed: the times rest on a sample (column weight of the CSV).\n";
        text += estimates_text(called);
    }
    text += '\n' + growth_text(rows, total) + growth_stacks_text(total, evidence);
    for (const std::string& part :
         {callers_text(total, evidence), waits_text(total, evidence), conflicts_text(total, evidence),
          blame_text(total, evidence.filter), advice_text(total, evidence)})
        if (!part.empty()) text += '\n' + part;
    text += '\n' + ledger_text(total);
    if (const std::string overhead = overhead_line(total.overhead); !overhead.empty())
        text += "Target slowed down: " + overhead + "\n  (" + overhead_grounds(total.overhead) + ")\n";
    text += "mapaudit itself: " + self_line(total.self) + '\n';
    return text;
}

Result<void> SummarySink::write(const model::Report& report) {
    if (report.scope != model::Scope::total) return {};
    return file_.write(summary_text(report, evidence_, table_));
}

}  // namespace mapaudit::output
