// SPDX-License-Identifier: Apache-2.0
#include "output/headline_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "model/advice.hpp"
#include "output/evidence_words.hpp"
#include "output/format.hpp"
#include "output/row_table.hpp"

namespace mapaudit::output {

namespace {

using model::FindingKind;
using model::Grounds;

// Whose time it is.
std::string_view owner_of_time(model::Op op) {
    switch (op) {
        case model::Op::assign: return "assigns'";
        case model::Op::lookup: return "look-ups'";
        case model::Op::erase: return "erases'";
        case model::Op::iterate: return "iterations'";
        case model::Op::grow:
        case model::Op::none: break;
    }
    return "operations'";
}

std::string finding_text(const model::Finding& finding, const model::Report& report) {
    const std::string map = map_name(*finding.map, report.targets.size() > 1);
    const std::string_view is = report.scope == model::Scope::total ? "was" : "is";
    const auto in = [](std::string_view word, const std::optional<model::Frame>& frame) {
        return frame ? fmt::format("{} {}", word, name_of(*frame)) : std::string();
    };
    switch (finding.kind) {
        case FindingKind::conflict:
            return fmt::format("{}: concurrent access where none is allowed, {}{}{}", map,
                               counted(finding.events, "time", "times"), in(", in", finding.where),
                               in(finding.where ? " beside" : ", beside", finding.other));
        case FindingKind::waiting:
            return fmt::format("{}: {:.0f} % of {} time {} waiting for its lock{}", map, 100 * finding.share,
                               owner_of_time(finding.op), is, in(", held in", finding.where));
        case FindingKind::growing:
            return fmt::format("{}: {:.0f} % of {} time {} growing ({})", map, 100 * finding.share,
                               owner_of_time(finding.op), is, counted(finding.events, "growth", "growths"));
    }
    return {};
}

// Advice goes by less than a headline.
bool has_advice(const model::Report& report, const View& view) {
    const std::vector<model::Advice> all = model::advise(report);
    return std::any_of(all.begin(), all.end(),
                       [&](const model::Advice& advice) { return view.filter.matches(*advice.map); });
}

std::string quiet_text(const model::Headline& headline, const model::Report& report, const View& view) {
    switch (headline.grounds) {
        case Grounds::nothing: return "no operation was seen";
        case Grounds::untimed:
            return fmt::format("no conflict was seen in {}; what they waited is not known, they were not timed",
                               counted(headline.calls, "call", "calls"));
        case Grounds::few:
            return fmt::format("too little was seen to judge: {}",
                               counted(headline.timed, "timed call", "timed calls"));
        case Grounds::enough: break;
    }
    if (report.scope == model::Scope::total && has_advice(report, view))
        return fmt::format("nothing grave was seen in {} calls; the advice below is about less", count(headline.calls));
    return fmt::format("nothing wrong was seen in {} calls", count(headline.calls));
}

}  // namespace

HeadlineLine headline_line(const model::Report& report, const View& view) {
    const model::Headline headline =
        model::headline_of(report.rows, report.evidence, report.interval_s,
                           [&](const model::MapDescription& map) { return view.filter.matches(map); });
    if (!headline.gravest) return {quiet_text(headline, report, view), false};
    std::string text = finding_text(*headline.gravest, report);
    if (headline.other_maps != 0)
        text += fmt::format("; {} in trouble too", counted(headline.other_maps, "more map is", "more maps are"));
    return {std::move(text), true};
}

}  // namespace mapaudit::output
