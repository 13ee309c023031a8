// SPDX-License-Identifier: Apache-2.0
#include "model/advice.hpp"

#include <fmt/format.h>

#include "output/evidence_text.hpp"
#include "output/evidence_words.hpp"

namespace mapaudit::output {
namespace {

using model::AdviceKind;

// For a map whose operations were not watched.
std::string untimed_reserve(const model::Advice& advice, const std::string& map) {
    const std::string_view hint = advice.map->source->size_hint;
    std::string text = advice.elements == 0
                           ? fmt::format("make {} with the room that they will need ({}): they grew {}", map, hint,
                                         counted(advice.events, "time", "times"))
                           : fmt::format("make {} with room for {} elements ({}): it grew {}", map, advice.elements,
                                         hint, counted(advice.events, "time", "times"));
    if (!advice.where.function.empty())
        text += fmt::format(", most often in {}{}", name_of(advice.where), source_line(advice.where));
    return text;
}

std::string advice_line(const model::Advice& advice, const model::Report& total) {
    const std::string map = label(advice, total);
    switch (advice.kind) {
        case AdviceKind::guard:
            return fmt::format(
                "guard {}: conflicting access was observed {}{}; {}", map, counted(advice.events, "time", "times"),
                advice.map->source->counts_every_call ? fmt::format(" in {} operations", advice.calls) : std::string(),
                advice.map->source->lock_advice);
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
            if (advice.saved_ns == 0) return untimed_reserve(advice, map);
            return fmt::format(
                "reserve {} elements in {}: growing {} took {}, {} of its assigns' time; their P99 of {} "
                "would have been {}",
                advice.elements, map, counted(advice.events, "time", "times"), ns(advice.saved_ns),
                percent_of(advice.share), ns(advice.p99_ns), ns(advice.p99_without_ns));
    }
    return {};
}

}  // namespace

std::string advice_text(const model::Report& total, const EvidenceView& view) {
    std::string text;
    std::size_t shown = 0, all = 0;
    for (const model::Advice& advice : model::advise(total)) {
        if (!view.filter.matches(*advice.map) || ++all > view.most) continue;
        ++shown;
        text += "  - " + advice_line(advice, total) + '\n';
    }
    if (shown == 0) return {};
    return "Advice:\n" + text + and_more(all, shown, "pieces of advice");
}

}  // namespace mapaudit::output
