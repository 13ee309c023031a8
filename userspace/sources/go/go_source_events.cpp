// SPDX-License-Identifier: Apache-2.0
//
// What comes to the go source as events: the error that ends a program, and conflicts between its goroutines.
#include <algorithm>
#include <span>
#include <string_view>

#include "model/evidence.hpp"
#include "sources/go/go_source.hpp"

namespace mapaudit::sources {
namespace {

// From the map's operation outwards. Where the probed function begins with a push of rbp, and from Linux 6.11 on, the
// kernel lists its return address as well, and the one of a function between.
std::span<const __u64> from_operation(const wire_go_fatal& fatal) {
    const std::span<const __u64> frames(fatal.frames);
    const auto inner = frames.first(4);
    const auto found = std::find(inner.begin(), inner.end(), fatal.inside);
    return fatal.inside == 0 || found == inner.end() ? frames
                                                     : frames.subspan(static_cast<std::size_t>(found - inner.begin()));
}

}  // namespace

void GoSource::take_fatal(const wire_go_fatal& fatal, model::Aggregator& aggregator) {
    if (fatal.process >= targets_.size()) return;
    ++taken_;
    GoProcess& process = *targets_[fatal.process].process;
    const std::string_view message(fatal.message, std::min<std::size_t>(fatal.length, sizeof fatal.message));
    const auto kind = conflict_of(message);
    if (!kind) {
        if (options_.on_note)
            options_.on_note("process " + std::to_string(process.process().pid()) + " ends with a fatal error: " +
                             std::string(message) + " (goroutine " + std::to_string(fatal.goid) + ")");
        return;
    }
    GoObservation observation;
    observation.map = fatal.map;
    observation.type = fatal.type;
    const auto frames = from_operation(fatal);
    observation.caller = frames[1];
    observation.seed = fatal.head.seed;
    observation.log2_before = observation.log2_after = fatal.head.log2_buckets;
    observation.size = fatal.head.count;
    const std::uint32_t id = targets_[fatal.process].maps.meet(observation);
    // Here nothing is known of operations, and everything of growths: a row of growths is true with none in it.
    model::Counts counts;
    counts.fatal_errors = 1;
    aggregator.add({key_of(fatal.process, id), model::Op::grow, UINT32_MAX, 0}, counts);
    model::Evidence row;
    row.kind = model::EvidenceKind::racing;
    row.map = model::MapDescription{.id = key_of(fatal.process, id)};
    row.detail = *kind;
    row.tid = static_cast<std::uint32_t>(fatal.goid);
    row.count = 1;
    row.first_ns = row.last_ns = fatal.time_ns;
    row.stack = process.stack(frames);
    if (fatal.inside != 0) {
        std::vector<model::Frame> frames_from_inside = row.stack.frames.all();
        frames_from_inside.insert(frames_from_inside.begin(), process.frame(fatal.inside));
        row.stack.frames = std::move(frames_from_inside);
    }
    row.other_tid = static_cast<std::uint32_t>(fatal.other_goid);
    row.other_stack = process.whole_stack(fatal.other_frames);
    if (fatal.other_goid == 0)
        row.other_stack.cut = options_.watch == GoWatch::windows
                                  ? "not known: it had left, or entered while no window was open"
                                  : "not known: who is in a map only --level events watches";
    evidence_.raced(std::move(row));
}

// It is counted already, in the row of the one who came.
void GoSource::take_conflict(const wire_go_conflict& conflict) {
    if (conflict.process >= targets_.size()) return;
    Target& target = targets_[conflict.process];
    GoObservation observation;
    observation.map = conflict.map;
    observation.type = conflict.type;
    observation.caller = conflict.frames[1];
    observation.seed = conflict.seed;
    observation.log2_before = observation.log2_after = conflict.log2;
    observation.size = conflict.size;
    model::Evidence row;
    row.kind = model::EvidenceKind::racing;
    row.map = model::MapDescription{.id = key_of(conflict.process, target.maps.known(observation))};
    row.detail = conflict.kind;
    row.tid = static_cast<std::uint32_t>(conflict.goid);
    row.other_tid = static_cast<std::uint32_t>(conflict.other_goid);
    row.count = 1;
    row.first_ns = row.last_ns = conflict.time_ns;
    row.stack = target.process->whole_stack(conflict.frames);
    row.other_stack = target.process->whole_stack(conflict.other_frames);
    if (conflict.other_goid == 0) row.other_stack.cut = "not known: it had just left";
    evidence_.raced(std::move(row));
}

}  // namespace mapaudit::sources
