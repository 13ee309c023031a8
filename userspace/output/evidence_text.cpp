// SPDX-License-Identifier: Apache-2.0
#include "output/evidence_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "output/evidence_words.hpp"
#include "output/format.hpp"

namespace mapaudit::output {
namespace {

using model::Evidence;
using model::EvidenceKind;

constexpr std::size_t most_frames = 24;

std::string whole_stack(const model::Stack& stack, const model::SourceTraits& source, std::string_view indent) {
    std::string text;
    std::size_t shown = 0;
    for (std::size_t i = model::first_telling_frame(stack, source); i < stack.frames.size() && shown < most_frames;
         ++i, ++shown) {
        const model::Frame& frame = stack.frames[i];
        text +=
            fmt::format("{}{}{}{}\n", indent, name_of(frame), source_line(frame), frame.inlined ? " [inlined]" : "");
    }
    if (shown == most_frames) text += fmt::format("{}...\n", indent);
    if (!stack.cut.empty()) text += fmt::format("{}[{}]\n", indent, escape(stack.cut));
    return text;
}

// "  <what> <place>", or with stacks "  <what>" and the frames below it.
std::string where(std::string_view what, const model::Stack& stack, const model::MapRef& map,
                  const EvidenceView& view) {
    if (!view.stacks || stack.frames.empty()) return fmt::format("      {} {}\n", what, place(stack, *map->source));
    return fmt::format("      {}\n{}", what, whole_stack(stack, *map->source, "          "));
}

std::vector<const Evidence*> chosen(const model::Report& total, EvidenceKind kind, const EvidenceView& view) {
    std::vector<const Evidence*> rows;
    for (const Evidence& row : total.evidence)
        if (row.kind == kind && view.filter.matches(*row.map)) rows.push_back(&row);
    return rows;
}

// Waits of one operation in one place for one place, whichever threads held the lock.
struct Wait {
    Evidence sum;
    std::vector<std::uint32_t> owners;  // the one waited for the longest first
};

std::vector<Wait> waits_of(const std::vector<const Evidence*>& rows) {
    model::EvidenceSums sums(false);
    std::vector<Wait> waits;
    for (const Evidence* row : rows) {
        const std::size_t index = sums.add(*row);
        if (index == waits.size()) waits.emplace_back();
        waits[index].owners.push_back(row->other_tid);
    }
    std::vector<Evidence> all = sums.take();
    for (std::size_t i = 0; i < waits.size(); ++i) waits[i].sum = std::move(all[i]);
    std::stable_sort(waits.begin(), waits.end(),
                     [](const Wait& a, const Wait& b) { return a.sum.total_ns > b.sum.total_ns; });
    return waits;
}

// "thread 12 and 3 others", or what stands for one.
std::string owner_names(const Wait& wait) {
    std::string name = wait.owners.front() != 0              ? fmt::format("thread {}", wait.owners.front())
                       : wait.sum.other_stack.frames.empty() ? std::string("a holder that is not known")
                                                             : std::string("readers");
    if (const std::size_t others = wait.owners.size() - 1; others != 0)
        name += fmt::format(" and {}", counted(others, "other", "others"));
    return name;
}

}  // namespace

std::string place(const model::Stack& stack, const model::SourceTraits& source) {
    if (const model::Frame* frame = model::caller_of(stack, source); frame != nullptr)
        return name_of(*frame) + source_line(*frame);
    if (!stack.frames.empty()) return name_of(stack.frames.back());
    return fmt::format("[{}]", stack.cut.empty() ? "not known" : escape(stack.cut));
}

std::string waits_text(const model::Report& total, const EvidenceView& view) {
    const auto waits = waits_of(chosen(total, EvidenceKind::waiting, view));
    if (waits.empty()) return {};
    std::string text = "Waits for locks, the longest in all first:\n";
    if (total.overhead.prices.probes_contend())
        text += fmt::format(
            "  (threads that hit probes at once run at {} of their speed in this kernel, so that the audit "
            "may be a part of these waits: see mapaudit doctor)\n",
            percent_of(total.overhead.prices.parallel_speed));
    const std::size_t shown = std::min(waits.size(), view.most);
    for (std::size_t i = 0; i < shown; ++i) {
        const Evidence& row = waits[i].sum;
        text += fmt::format("  {} {}: {}, {} in all, {} the longest, for {}\n", label(row, total),
                            model::waiting_op_name(row.detail), counted(row.count, "wait", "waits"), ns(row.total_ns),
                            ns(row.max_ns), owner_names(waits[i]));
        text += where("waited in", row.stack, row.map, view);
        text += where("  held in", row.other_stack, row.map, view);
    }
    text += and_more(waits.size(), shown, "combinations of caller and holder");
    if (!view.stacks) return text;
    const auto holds = chosen(total, EvidenceKind::owning, view);
    if (!holds.empty()) text += "Locks held while others waited:\n";
    for (std::size_t i = 0; i < std::min(holds.size(), view.most); ++i) {
        const Evidence& row = *holds[i];
        text += fmt::format("  {} {}: {}, {} in all, {} the longest, by {}\n", label(row, total),
                            model::waiting_op_name(row.detail), counted(row.count, "hold", "holds"), ns(row.total_ns),
                            ns(row.max_ns), row.tid != 0 ? fmt::format("thread {}", row.tid) : "readers");
        text += where("  held in", row.stack, row.map, view);
    }
    return text + and_more(holds.size(), view.most, "holders");
}

std::string conflicts_text(const model::Report& total, const EvidenceView& view) {
    struct Verdict {
        const model::Row* row = nullptr;
        std::uint64_t calls = 0, conflicts = 0;
        std::uint64_t fatal = 0;  // of the conflicts: found by the target itself
        bool checked = false;
    };
    std::map<model::MapId, Verdict> maps;
    for (const model::Row& row : total.rows) {
        if (!row.is_sum() || row.op == model::Op::none || !view.filter.matches(row)) continue;
        if (row.op == model::Op::grow && row.conflicts_seen() == 0) continue;
        Verdict& verdict = maps[row.map->id];
        verdict.row = &row;
        verdict.checked = verdict.checked || row.map->checked;
        if (row.op != model::Op::grow) verdict.calls += row.calls;
        verdict.conflicts += row.conflicts_seen();
        verdict.fatal += row.fatal_errors;
    }
    std::erase_if(maps, [](const auto& map) { return !map.second.checked && map.second.conflicts == 0; });
    if (maps.empty()) return {};
    const auto races = chosen(total, EvidenceKind::racing, view);
    std::string text = "Concurrent access where none is allowed:\n";
    std::uint64_t quiet_maps = 0, quiet_calls = 0;
    for (const auto& [id, verdict] : maps) {
        if (verdict.conflicts == 0) {
            quiet_calls += verdict.calls;
            if (++quiet_maps > view.most) continue;
            text += fmt::format("  {}: none in {} operations\n", label(*verdict.row, total), verdict.calls);
            continue;
        }
        text +=
            fmt::format("  {}: observed {}", label(*verdict.row, total), counted(verdict.conflicts, "time", "times"));
        if (verdict.calls != 0 || verdict.fatal == 0) text += fmt::format(" ({} operations)", verdict.calls);
        if (verdict.fatal != 0)
            text += fmt::format(", {}by {}, which then ends the program",
                                verdict.fatal < verdict.conflicts ? "the last time " : "",
                                verdict.row->map->source->fatal_finder);
        text += '\n';
        std::size_t shown = 0, all = 0;
        for (const Evidence* race : races) {
            if (race->map->id != id || ++all > view.most) continue;
            ++shown;
            text += fmt::format("    {}, {} from {:.3f} s to {:.3f} s\n", model::conflict_name(race->detail),
                                counted(race->count, "time", "times"), race->first_s, race->last_s);
            const model::SourceTraits& source = *race->map->source;
            text += where(fmt::format("{} {} in", source.thread, race->tid), race->stack, race->map, view);
            text += where(race->other_tid != 0 ? fmt::format("{} {} in", source.thread, race->other_tid)
                                               : fmt::format("{} in", source.absent_thread),
                          race->other_stack, race->map, view);
        }
        text += and_more(all, shown, "combinations of callers and threads");
    }
    if (quiet_maps > view.most)
        text += fmt::format("  ... and {} more maps; on all {} without a conflict: none in {} operations\n",
                            quiet_maps - view.most, quiet_maps, quiet_calls);
    return text;
}

std::string callers_text(const model::Report& total, const EvidenceView& view) {
    auto calls = chosen(total, EvidenceKind::calling, view);
    if (calls.empty()) return {};
    std::map<std::pair<model::MapId, std::uint32_t>, std::uint64_t> sums;
    const auto of = [](const Evidence* row) { return std::pair(row->map->id, row->detail); };
    for (const Evidence* row : calls) sums[of(row)] += row->count;
    std::string text = "Who used maps, the most calls seen first:\n";
    const std::size_t shown = std::min(calls.size(), view.most);
    for (std::size_t i = 0; i < shown; ++i) {
        const Evidence& row = *calls[i];
        text += fmt::format("  {} {}: {}, {} of all such\n", label(row, total),
                            model::op_name(model::op_of(row.detail)), counted(row.count, "call", "calls"),
                            percent_of(static_cast<double>(row.count) / static_cast<double>(sums[of(&row)])));
        text += where("called in", row.stack, row.map, view);
    }
    return text + and_more(calls.size(), shown, "callers");
}

std::string growth_stacks_text(const model::Report& total, const EvidenceView& view) {
    const auto growths = chosen(total, EvidenceKind::growing, view);
    if (growths.empty() || !view.stacks) return {};
    std::string text = "Where maps grew:\n";
    for (std::size_t i = 0; i < std::min(growths.size(), view.most); ++i) {
        const Evidence& row = *growths[i];
        text += fmt::format("  {}: {}{}\n", label(row, total), counted(row.count, "time", "times"),
                            row.total_ns == 0 ? "" : fmt::format(", {} in all", ns(row.total_ns)));
        text += where("grown in", row.stack, row.map, view);
    }
    return text + and_more(growths.size(), view.most, "places");
}

std::vector<FoldedStack> folded_evidence(const model::Report& total, const MapFilter& filter) {
    std::vector<FoldedStack> folded;
    for (const Evidence& row : total.evidence) {
        if (!filter.matches(*row.map)) continue;
        const char* const kind = row.kind == EvidenceKind::waiting   ? "wait"
                                 : row.kind == EvidenceKind::owning  ? "hold"
                                 : row.kind == EvidenceKind::racing  ? "conflict"
                                 : row.kind == EvidenceKind::growing ? "grow"
                                                                     : model::op_name(model::op_of(row.detail)).data();
        folded.push_back({{label(row, total), kind}, &row.stack, row.total_ns != 0 ? row.total_ns : row.count});
    }
    return folded;
}

}  // namespace mapaudit::output
