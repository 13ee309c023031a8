// SPDX-License-Identifier: Apache-2.0
#include "output/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "output/format.hpp"
#include "output/headline_text.hpp"
#include "output/ledger.hpp"
#include "output/row_table.hpp"

namespace mapaudit::output {

namespace {

constexpr std::size_t footer_height = 2;
constexpr std::size_t smallest_with_footer = 6;    // title, header, two rows, footer
constexpr std::size_t smallest_with_headline = 7;  // the same and the headline
constexpr std::size_t targets_named = 3;

constexpr std::string_view help_text =
    "q quit   s next sort column   p pause   arrows, PgUp, PgDn, Home, End scroll   ? this line";

std::string title(const model::Report& report, const View& view, const ScreenState& state) {
    std::string text =
        fmt::format("mapaudit  {}  {}  {}  by {}", targets_line(report, targets_named), elapsed(report.elapsed_s),
                    counted(report.maps, "map", "maps"), sort_column_name(view.sort));
    return state.paused ? "PAUSED  " + text : text;
}

// "  rows 11-20 of 31", nothing where all of them show.
std::string position(std::size_t first, std::size_t shown, std::size_t all) {
    return shown >= all ? "" : fmt::format("  rows {}-{} of {}", first + 1, first + shown, all);
}

}  // namespace

Frame layout(const model::Report& report, const View& view, const ScreenState& state, std::size_t width,
             std::size_t height) {
    Frame frame;
    const auto put = [&](std::string_view text, Ink ink) {
        if (frame.lines.size() < height) frame.lines.push_back({fit_left(text, width), ink});
    };
    const bool footer = height >= smallest_with_footer;
    const bool headline = height >= smallest_with_headline;
    const std::size_t around = 2 + (headline ? 1 : 0) + (footer ? footer_height : 0);
    frame.page = height > around ? height - around : 1;

    const std::vector<const model::Row*> rows = select_rows(report.rows, view);
    frame.last_scroll = rows.size() > frame.page ? rows.size() - frame.page : 0;
    const std::size_t first = std::min(state.scroll, frame.last_scroll);
    const std::size_t shown = std::min(frame.page, rows.size() - first);

    const Table table({.columns = live_columns(),
                       .width = width,
                       .map_width = 40,
                       .who = view.per_cpu || view.per_thread,
                       .pid = report.targets.size() > 1});
    put(title(report, view, state) + position(first, shown, rows.size()), Ink::title);
    if (headline) {
        const HeadlineLine line = headline_line(report, view);
        put(line.text, line.trouble ? Ink::warning : Ink::plain);
    }
    put(table.header(), Ink::header);
    for (std::size_t i = first; i < first + shown; ++i)
        put(table.line(*rows[i]), rows[i]->cpu || rows[i]->tid ? Ink::faint : Ink::plain);
    if (rows.empty()) put(why_empty(report), Ink::faint);
    if (!footer) return frame;

    while (frame.lines.size() < height - footer_height) put("", Ink::plain);
    const bool all_well = report.ledger.fired == report.ledger.handled && report.ledger.lost_total() == 0;
    put(ledger_line(report.ledger), all_well ? Ink::plain : Ink::warning);
    const std::string overhead = overhead_line(report.overhead);
    put(state.help ? std::string(help_text)
                   : "? help   " + (overhead.empty() ? "" : "target slowed down: " + overhead + "   ") +
                         "mapaudit itself: " + self_line(report.self),
        Ink::faint);
    return frame;
}

}  // namespace mapaudit::output
