// SPDX-License-Identifier: Apache-2.0
#include "output/report_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "output/format.hpp"
#include "output/markup.hpp"
#include "output/row_table.hpp"
#include "output/view.hpp"

namespace mapaudit::output {
namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --paper: #fff; --panel: #f6f7f9; --edge: #dfe3e8;
  --bar: #dbe6f5; --bad: #b3261e;
  --s0: #2563a8; --s1: #c2621b; --s2: #2e8555; --s3: #8b4fb3; --s4: #b0376a; --s5: #0e8a96; --s6: #8a7410; --s7: #6b7280; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #98a2ad; --paper: #16191d; --panel: #1e2227;
  --edge: #333a42; --bar: #24364d; --bad: #f28b82;
  --s0: #6aa5e8; --s1: #eb9a57; --s2: #67c08f; --s3: #c39be0; --s4: #ec86b0; --s5: #58c4ce; --s6: #d3bb55; --s7: #a3abb6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 1240px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.4rem 0 .6rem; }
p { margin: .4rem 0; } .note, .when { color: var(--soft); font-size: .87rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: .8rem; margin: 1.4rem 0 0; }
.tile { background: var(--panel); border: 1px solid var(--edge); border-radius: 8px; padding: .7rem .9rem; min-width: 0; }
.tile b { display: block; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.tile span { color: var(--soft); font-size: .84rem; overflow-wrap: anywhere; } .tile.bad b { color: var(--bad); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--edge); }
thead th { color: var(--soft); font-weight: 500; font-size: .82rem; } thead th:first-child { text-align: left; }
tbody th { text-align: left; font-weight: 500; max-width: 26rem; overflow: hidden; text-overflow: ellipsis; }
td.op, th.op { text-align: left; } tr.bad td { color: var(--bad); }
td.bar { background: linear-gradient(to left, var(--bar) var(--part), transparent var(--part)); }
.legend { list-style: none; padding: 0; margin: .2rem 0 .6rem; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .87rem; }
.legend li { overflow-wrap: anywhere; } .legend li:not(.rest)::before { content: ""; display: inline-block; width: .8em;
  height: .8em; border-radius: 2px; margin-right: .45em; background: var(--c); } .legend .rest { color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 1rem; margin-bottom: 1.4rem; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--edge); border-radius: 8px; padding: .7rem .8rem .4rem; }
figcaption { font-size: .87rem; color: var(--soft); margin-bottom: .2rem; }
svg.chart, svg.flame { width: 100%; height: auto; display: block; }
.chart .grid { stroke: var(--edge); } .chart text { fill: var(--soft); font-size: 10.5px; }
.chart .tick.y { text-anchor: end; } .chart .tick.x { text-anchor: middle; }
.chart .line path { fill: none; stroke: var(--c); stroke-width: 1.7; stroke-linejoin: round; } .chart circle { fill: var(--c); }
)";

std::string tile(const std::string& title, const std::string& value, const std::string& what, bool bad = false) {
    return fmt::format("<div class=\"tile{}\"><span>{}</span><b>{}</b><span>{}</span></div>\n", bad ? " bad" : "",
                       markup(title), markup(value), markup(what));
}

// The row with the greatest figure; null where none has any.
template <class Figure>
const model::Row* greatest(const Recording& recording, Figure figure) {
    const model::Row* best = nullptr;
    for (const model::Row& row : recording.totals)
        if (row.op != model::Op::none && figure(row) > 0 && (best == nullptr || figure(row) > figure(*best)))
            best = &row;
    return best;
}

std::string label(const model::Row& row, const Recording& recording) {
    return map_label(*row.map, recording.many_pids).append(" ").append(op_name(row.op));
}

// What a reader wants to know first: which map is hot, which is slow, which waits, which grows, is there a race.
std::string tiles(const Recording& recording) {
    std::string html = "<div class=\"tiles\">\n";
    if (const auto* row =
            greatest(recording, [](const model::Row& r) { return r.op == model::Op::grow ? 0 : r.calls; }))
        html += tile("hottest", rate(row->calls_per_s) + " calls/s", label(*row, recording));
    const auto p99 = [](const model::Row& r) { return r.op == model::Op::grow ? 0 : r.p99_ns.value_or(0); };
    if (const auto* row = greatest(recording, p99))
        html += tile("slowest", "p99 " + duration(p99(*row)), label(*row, recording));
    const auto waited = [](const model::Row& r) { return r.op == model::Op::grow ? 0 : r.wait_total_ns; };
    if (const auto* row = greatest(recording, waited)) {
        const std::optional<double> share = wait_share(*row);
        html += tile("waits longest for its lock", duration(waited(*row)) + (share ? ", " + percent(100 * *share) : ""),
                     label(*row, recording));
    }
    const auto grows = [](const model::Row& r) { return r.op == model::Op::grow ? r.grows : 0; };
    if (const auto* row = greatest(recording, grows))
        html +=
            tile("grew most often", counted(row->grows, "time", "times"), map_label(*row->map, recording.many_pids));
    std::uint64_t conflicts = 0, lost = 0;
    for (const model::Row& row : recording.totals) {
        conflicts += row.conflicts_seen();
        lost += row.lost;
    }
    if (conflicts != 0)
        html += tile("conflicting access", fmt::format("observed {} times", conflicts), "see below", true);
    if (lost != 0) html += tile("lost", count(lost), "the figures are short by that", true);
    return html + "</div>\n";
}

std::string section(const std::string& title, const std::string& content) {
    return "<h2>" + title + "</h2>\n" + content;
}

}  // namespace

std::string report_page(const Recording& recording, const std::string& name, const std::string& flame) {
    std::string html =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    html += fmt::format("<title>{} – mapaudit</title>\n<style>{}", markup(name), style);
    for (int i = 0; i < 8; ++i) html += fmt::format(".s{0} {{ --c: var(--s{0}); }}\n", i);
    html += fmt::format("</style>\n</head>\n<body>\n<h1>{}</h1>\n", markup(name));
    html += fmt::format("<p class=\"when\">{} to {}, {}</p>\n", markup(recording.begin), markup(recording.end),
                        elapsed(recording.seconds));
    html += tiles(recording);
    html += section("Totals", totals_html(recording));
    html += section("Over time", charts_html(recording));
    html += section("Growth", growth_html(recording));
    html += section("Conflicts", conflicts_html(recording));
    if (!flame.empty()) html += section("Stacks", flame);
    return html + "</body>\n</html>\n";
}

}  // namespace mapaudit::output
