// SPDX-License-Identifier: Apache-2.0
#include "output/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "model/advice.hpp"
#include "model/function_name.hpp"
#include "output/format.hpp"
#include "output/table.hpp"

namespace mapaudit::output {
namespace {

using model::AdviceKind;
using model::Evidence;
using model::EvidenceKind;

constexpr std::size_t most_frames = 24;

// Evidence and advice name a map as rows do.
template <class About>
model::Row as_row(const About& about) {
    model::Row row;
    row.pid = about.pid;
    row.map_id = about.map_id;
    row.map_name = about.map_name;
    row.map_kind = about.map_kind;
    row.op = "assign";  // any: rows without one belong to no map, and pass every filter
    return row;
}
template <class About>
std::string label(const About& about, const model::Report& total) {
    return map_label(as_row(about), total.targets.size() > 1);
}

std::string name_of(const model::Frame& frame) {
    return frame.function.empty() ? frame_name(frame) : escape(model::brief_function(frame.function));
}

std::string source_line(const model::Frame& frame) {
    if (frame.file.empty()) return {};
    const std::size_t slash = frame.file.rfind('/');
    const std::string name = escape(slash == std::string::npos ? frame.file : frame.file.substr(slash + 1));
    return frame.line == 0 ? fmt::format(" ({})", name) : fmt::format(" ({}:{})", name, frame.line);
}

std::string whole_stack(const model::Stack& stack, std::string_view indent) {
    std::string text;
    std::size_t shown = 0;
    for (std::size_t i = model::first_telling_frame(stack); i < stack.frames.size() && shown < most_frames;
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
std::string where(std::string_view what, const model::Stack& stack, const EvidenceView& view) {
    if (!view.stacks || stack.frames.empty()) return fmt::format("      {} {}\n", what, place(stack));
    return fmt::format("      {}\n{}", what, whole_stack(stack, "          "));
}

std::vector<const Evidence*> chosen(const model::Report& total, EvidenceKind kind, const EvidenceView& view) {
    std::vector<const Evidence*> rows;
    for (const Evidence& row : total.evidence)
        if (row.kind == kind && view.filter.matches(as_row(row))) rows.push_back(&row);
    return rows;
}

std::string and_more(std::size_t all, std::size_t shown, std::string_view what) {
    return all > shown ? fmt::format("  ... and {} more {}\n", all - shown, what) : std::string();
}

std::string ns(double value) { return duration(value); }
std::string ns(std::uint64_t value) { return duration(static_cast<double>(value)); }

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

std::string percent_of(double share) { return percent(100 * share); }

std::string advice_line(const model::Advice& advice, const model::Report& total) {
    const std::string map = label(advice, total);
    switch (advice.kind) {
        case AdviceKind::guard:
            return fmt::format(
                "guard {}: conflicting access was observed {} in {} operations; put a lock round it, or "
                "use a kind that has one",
                map, counted(advice.events, "time", "times"), advice.calls);
        case AdviceKind::release:
            return fmt::format(
                "hold the lock of {} for less in {}{}: {} of the time waited for it ({} in {}) was for "
                "that code, which held it for up to {}",
                map, name_of(advice.where), source_line(advice.where), percent_of(advice.share), ns(advice.waited_ns),
                counted(advice.events, "wait", "waits"), ns(advice.longest_ns));
        case AdviceKind::shard:
            return fmt::format(
                "shard {}: {} of its operations' time went into waiting for its one lock ({}, {} in "
                "all); a sharded_map has one for each part of the keys",
                map, percent_of(advice.share), counted(advice.events, "wait", "waits"), ns(advice.waited_ns));
        case AdviceKind::share:
            return fmt::format(
                "let the readers of {} share: {} of its {} calls are look-ups, and {} of its time went "
                "into waiting ({}, {} in all); a rwlock_map lets them, a sharded_map parts them",
                map, percent_of(advice.reads), advice.calls, percent_of(advice.share),
                counted(advice.events, "wait", "waits"), ns(advice.waited_ns));
        case AdviceKind::relieve:
            return fmt::format(
                "run fewer threads on {}, or give them more CPUs: {} a thread lost its CPU with the lock "
                "in hand, for {} in all, {} of the time it was held while others waited",
                map, counted(advice.events, "time", "times"), ns(advice.preempted_ns), percent_of(advice.share));
        case AdviceKind::reserve:
            return fmt::format(
                "reserve {} elements in {}: growing {} took {}, {} of its assigns' time; their P99 of {} "
                "would have been {}",
                advice.elements, map, counted(advice.events, "time", "times"), ns(advice.saved_ns),
                percent_of(advice.share), ns(advice.p99_ns), ns(advice.p99_without_ns));
    }
    return {};
}

}  // namespace

std::string place(const model::Stack& stack) {
    if (const model::Frame* frame = model::caller_of(stack); frame != nullptr)
        return name_of(*frame) + source_line(*frame);
    if (!stack.frames.empty()) return name_of(stack.frames.back());
    return fmt::format("[{}]", stack.cut.empty() ? "not known" : escape(stack.cut));
}

std::string waits_text(const model::Report& total, const EvidenceView& view) {
    const auto waits = waits_of(chosen(total, EvidenceKind::waiting, view));
    if (waits.empty()) return {};
    std::string text = "Waits for locks, the longest in all first:\n";
    if (total.overhead.prices.crowded())
        text += fmt::format(
            "  (threads that hit probes at once run at {} of their speed in this kernel, so that the audit "
            "may be a part of these waits: see mapaudit doctor)\n",
            percent_of(total.overhead.prices.company));
    const std::size_t shown = std::min(waits.size(), view.most);
    for (std::size_t i = 0; i < shown; ++i) {
        const Evidence& row = waits[i].sum;
        text += fmt::format("  {} {}: {}, {} in all, {} the longest, for {}\n", label(row, total),
                            model::waiting_op_name(row.detail), counted(row.count, "wait", "waits"), ns(row.total_ns),
                            ns(row.max_ns), owner_names(waits[i]));
        text += where("waited in", row.stack, view);
        text += where("  held in", row.other_stack, view);
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
        text += where("  held in", row.stack, view);
    }
    return text + and_more(holds.size(), view.most, "holders");
}

std::string conflicts_text(const model::Report& total, const EvidenceView& view) {
    struct Verdict {
        const model::Row* row = nullptr;
        std::uint64_t calls = 0, conflicts = 0;
        bool checked = false;
    };
    std::map<std::tuple<int, std::uint32_t, std::string>, Verdict> maps;
    for (const model::Row& row : total.rows) {
        if (row.cpu || row.tid || row.op.empty() || row.op == "grow" || !view.filter.matches(row)) continue;
        Verdict& verdict = maps[{row.pid, row.map_id, row.map_name}];
        verdict.row = &row;
        verdict.checked = verdict.checked || row.checked;
        verdict.calls += row.calls;
        verdict.conflicts += row.conflicts;
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
        text += fmt::format("  {}: observed {} ({} operations)\n", label(*verdict.row, total),
                            counted(verdict.conflicts, "time", "times"), verdict.calls);
        std::size_t shown = 0, all = 0;
        for (const Evidence* race : races) {
            if (std::tuple(race->pid, race->map_id, race->map_name) != id || ++all > view.most) continue;
            ++shown;
            text += fmt::format("    {}, {} from {:.3f} s to {:.3f} s\n", model::conflict_name(race->detail),
                                counted(race->count, "time", "times"), race->first_s, race->last_s);
            text += where(fmt::format("thread {} in", race->tid), race->stack, view);
            text += where(race->other_tid != 0 ? fmt::format("thread {} in", race->other_tid)
                                               : std::string("a thread that had left, in"),
                          race->other_stack, view);
        }
        text += and_more(all, shown, "combinations of callers and threads");
    }
    if (quiet_maps > view.most)
        text += fmt::format("  ... and {} more maps; on all {} without a conflict: none in {} operations\n",
                            quiet_maps - view.most, quiet_maps, quiet_calls);
    return text;
}

std::string growth_stacks_text(const model::Report& total, const EvidenceView& view) {
    const auto growths = chosen(total, EvidenceKind::growing, view);
    if (growths.empty() || !view.stacks) return {};
    std::string text = "Where maps grew:\n";
    for (std::size_t i = 0; i < std::min(growths.size(), view.most); ++i) {
        const Evidence& row = *growths[i];
        text += fmt::format("  {}: {}, {} in all\n", label(row, total), counted(row.count, "time", "times"),
                            ns(row.total_ns));
        text += where("grown in", row.stack, view);
    }
    return text + and_more(growths.size(), view.most, "places");
}

std::string advice_text(const model::Report& total, const EvidenceView& view) {
    std::string text;
    std::size_t shown = 0, all = 0;
    for (const model::Advice& advice : model::advise(total)) {
        if (!view.filter.matches(as_row(advice)) || ++all > view.most) continue;
        ++shown;
        text += "  - " + advice_line(advice, total) + '\n';
    }
    if (shown == 0) return {};
    return "Advice:\n" + text + and_more(all, shown, "pieces of advice");
}

std::vector<FoldedStack> folded_evidence(const model::Report& total, const MapFilter& filter) {
    std::vector<FoldedStack> folded;
    for (const Evidence& row : total.evidence) {
        if (!filter.matches(as_row(row))) continue;
        const char* const kind = row.kind == EvidenceKind::waiting  ? "wait"
                                 : row.kind == EvidenceKind::owning ? "hold"
                                 : row.kind == EvidenceKind::racing ? "conflict"
                                                                    : "grow";
        folded.push_back({{label(row, total), kind}, &row.stack, row.total_ns != 0 ? row.total_ns : row.count});
    }
    return folded;
}

}  // namespace mapaudit::output
