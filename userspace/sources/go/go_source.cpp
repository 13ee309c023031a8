// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_source.hpp"

#include <algorithm>
#include <string_view>

#include "model/evidence.hpp"
#include "sources/go/go_rows.hpp"

namespace mapaudit::sources {
namespace {

constexpr std::uint32_t usual_maps = 1024;
// Rows of operations between two readings; goroutines inside maps at once, of which a crowd may wait for a CPU.
constexpr std::uint32_t usual_calls = 32768, usual_inside = 32768;
constexpr double first_look_s = 4;  // of CPU time, of which the budget's share is there at the start

std::uint64_t losses(const wire_go_ledger& ledger) {
    std::uint64_t sum = 0;
    for (const std::uint64_t lost : ledger.lost) sum += lost;
    return sum;
}

}  // namespace

// What happened to one map, or to those that share a row, from one caller.
struct GoSource::Growth {
    std::uint32_t process = 0, id = 0;
    std::uint64_t caller = 0;
    std::uint64_t doublings = 0, same_size = 0, buckets_added = 0;
    std::uint64_t first_ns = 0, last_ns = 0;
};

Result<std::unique_ptr<GoSource>> GoSource::attach(std::vector<std::unique_ptr<GoProcess>> processes, GoOptions options,
                                                   UprobeMechanism mechanism) {
    std::unique_ptr<GoSource> source(new GoSource(std::move(options)));
    const std::uint32_t most = source->options_.max_maps != 0 ? source->options_.max_maps : usual_maps;
    if (source->options_.watch != GoWatch::growth) source->options_.sizes.calls = usual_calls;
    if (source->options_.watch == GoWatch::windows) source->options_.sizes.inside = usual_inside;
    auto programs = GoPrograms::load(source->options_.sizes, mechanism);
    if (!programs) return programs.error();
    source->programs_ = std::move(*programs);
    source->programs_->set_span_overhead(model::Prices{}.breakpoint_ns);
    for (auto& process : processes) source->targets_.push_back({std::move(process), GoMaps(most)});
    for (std::uint32_t i = 0; i < source->targets_.size(); ++i) {
        const GoProcess& process = *source->targets_[i].process;
        const auto sites = process.sites(GoProbes::rare, i);
        if (sites.empty()) continue;
        auto link = UprobeLink::attach(mechanism, source->programs_->program_fd(GoProbes::rare), process.attach_path(),
                                       process.process().pid(), sites);
        if (!link) return link.error();
        source->links_.push_back(std::move(*link));
    }
    if (auto watched = source->watch_operations(mechanism); !watched) return watched.error();
    return source;
}

Result<void> GoSource::watch_operations(UprobeMechanism mechanism) {
    if (options_.watch == GoWatch::growth) return {};
    std::vector<GoSites> sites;
    for (std::uint32_t i = 0; i < targets_.size(); ++i) {
        const GoProcess& process = *targets_[i].process;
        GoSites one{process.attach_path(), process.process().pid(), process.sites(GoProbes::operations, i), {}};
        if (options_.watch == GoWatch::windows) {
            const auto steps = process.sites(GoProbes::steps, i);
            one.begins.insert(one.begins.end(), steps.begin(), steps.end());
            one.ends = process.sites(GoProbes::ends, i);
        }
        sites.push_back(std::move(one));
    }
    // Whoever asks who races is at it: the first look is a long one.
    const double ahead_s = options_.watch == GoWatch::windows ? first_look_s : 0;
    auto windows =
        GoWindows::open(std::move(sites), *programs_, mechanism, model::DutyCycle(options_.budget_percent, ahead_s));
    if (!windows) return windows.error();
    windows_ = std::move(*windows);
    return {};
}

Level GoSource::level() const {
    if (options_.watch == GoWatch::growth) return Level::events;
    return options_.budget_percent < 100 ? Level::sampled : Level::full;
}

std::optional<double> GoSource::budget_percent() const {
    if (windows_ == nullptr || options_.budget_percent >= 100) return std::nullopt;
    return options_.budget_percent;
}

void GoSource::set_prices(const model::Prices& prices) {
    programs_->set_span_overhead(prices.breakpoint_ns);
    if (windows_ != nullptr) windows_->set_prices(prices);
}

model::MapId GoSource::key_of(std::uint32_t process, std::uint32_t id) const {
    return {targets_[process].process->process().pid(), go_domain, id};
}

void GoSource::know_others(const model::MapId& key, model::Aggregator& aggregator) const {
    if (key.id != model::other_maps || aggregator.find(key) != nullptr) return;
    model::MapInfo others;
    others.source = &go_traits;
    others.name = "(other)";
    aggregator.describe(key, others);
}

void GoSource::add(const Growth& growth, model::Aggregator& aggregator) {
    const model::MapId key = key_of(growth.process, growth.id);
    know_others(key, aggregator);
    model::Counts counts;
    counts.calls = counts.grows = growth.doublings + growth.same_size;
    counts.buckets_grown = static_cast<std::int64_t>(growth.buckets_added);
    aggregator.add({key, model::Op::grow, UINT32_MAX, 0}, counts);
    taken_ += counts.calls;
    const GoPlace place{growth.process, growth.id, growth.caller};
    evidence_.grew(place, MAPAUDIT_GROW_LOAD, {growth.doublings, growth.first_ns, growth.last_ns});
    evidence_.grew(place, MAPAUDIT_GROW_OVERFLOW, {growth.same_size, growth.first_ns, growth.last_ns});
}

// Adds the calls of an operation by one caller, or its latencies in one bucket.
void GoSource::add(std::uint32_t process, std::uint32_t id, const GoCalls& row, model::Aggregator& aggregator) {
    const auto& [key, value] = row;
    const auto op = static_cast<mapaudit_op>(key.op & ~WIRE_GO_TIMES);
    model::Counts counts;
    if ((key.op & WIRE_GO_TIMES) != 0) {
        const std::uint64_t bucket = key.map != 0 ? key.from : key.seed;
        if (bucket >= MAPAUDIT_BUCKETS) return;
        counts.latency.add_bucket(static_cast<std::uint32_t>(bucket), value.calls);
        counts.latency_sum = value.time_sum;
        counts.latency_max = value.time_max;
    } else {
        counts.calls = value.calls;
        counts.conflicts = value.conflicts;
        taken_ += value.calls;
        evidence_.called({process, id, key.from}, op, value.calls);
    }
    const model::MapId map = key_of(process, id);
    know_others(map, aggregator);
    aggregator.add({map, model::op_of(op), UINT32_MAX, 0}, counts);
}

// Generic code has its maps' types only as far as it is compiled for them: "map[go.shape.int_0]int" is a map[int]int, a
// map[main.id]int or both.
void GoSource::know_type(GoCalls& row) {
    if (row.key.process >= targets_.size() || row.value.type == 0) return;
    if (!targets_[row.key.process].process->type_name(row.value.type).starts_with("map[go.shape.")) return;
    shapes_.try_emplace({row.key.process, row.key.from}, row.value.type);
    row.value.type = 0;
}

void GoSource::take_rows(model::Aggregator& aggregator) {
    if (windows_ != nullptr) watched_ = windows_->watched();
    GoTaken taken = programs_->take();
    for (GoCalls& row : taken.calls) know_type(row);
    for (const GoRows& rows : by_map(taken.growths, taken.calls)) {
        if (rows.process >= targets_.size()) continue;
        const std::uint32_t id = targets_[rows.process].maps.meet(rows.observation);
        for (const GoGrowth* row : rows.growths)
            add({rows.process, id, row->key.caller, row->value.doublings, row->value.same_size,
                 row->value.buckets_added, row->value.first_ns, row->value.last_ns},
                aggregator);
        for (const GoCalls* row : rows.calls) add(rows.process, id, *row, aggregator);
    }
    for (const GoCalls& row : taken.calls)
        if (row.key.map == 0) add_shared(row, aggregator);
}

// The same for maps that have no place of their own: nil, on a stack, or one too many.
void GoSource::add_shared(const GoCalls& row, model::Aggregator& aggregator) {
    if (row.key.process >= targets_.size()) return;
    GoObservation observation;
    observation.type = row.value.type;
    observation.caller = row.key.from;
    add(row.key.process, targets_[row.key.process].maps.meet(observation), row, aggregator);
}

// Calls that found no row, since the last look.
void GoSource::take_call_spills(model::Aggregator& aggregator) {
    for (GoCalls row : programs_->read_call_spills()) {
        wire_go_calls& before = call_spills_[{row.key.process, row.key.from, row.key.op}];
        const wire_go_calls now = row.value;
        row.value.calls -= before.calls;
        row.value.conflicts -= before.conflicts;
        before = now;
        know_type(row);
        if (row.value.calls + row.value.conflicts != 0) add_shared(row, aggregator);
    }
}

// Growths of maps without a row of their own, since the last look.
void GoSource::take_spills(model::Aggregator& aggregator) {
    programs_->read_spills([&](const wire_go_site_key& key, const wire_go_spill& spill) {
        if (key.process >= targets_.size()) return;
        wire_go_spill& before = spills_[{key.process, key.caller}];
        Growth growth{key.process,
                      0,
                      key.caller,
                      spill.doublings - before.doublings,
                      spill.same_size - before.same_size,
                      spill.buckets_added - before.buckets_added,
                      spill.first_ns,
                      spill.last_ns};
        before = spill;
        if (growth.doublings + growth.same_size == 0) return;
        GoObservation observation;
        observation.type = spill.type;
        observation.caller = key.caller;
        growth.id = targets_[key.process].maps.meet(observation);
        add(growth, aggregator);
    });
}

void GoSource::look_at_maps() {
    for (Target& target : targets_) {
        if (!target.process->process().alive()) continue;  // its last figures stay
        const auto living = target.maps.living();
        std::vector<std::uint64_t> addresses;
        for (const GoMap* map : living) addresses.push_back(map->address);
        const auto heads = read_map_heads(target.process->process(), target.process->binary().design(), addresses);
        for (std::size_t i = 0; i < heads.size(); ++i) target.maps.look(*living[i], heads[i]);
    }
}

model::Stack GoSource::stack_of(std::uint32_t process, std::uint64_t caller) {
    const auto site = programs_->site({caller, process, 0});
    if (site) return targets_[process].process->stack(site->frames);
    model::Stack stack;
    if (caller != 0) stack.frames = {targets_[process].process->frame(caller)};
    stack.cut = "more places that grow maps than are kept";
    return stack;
}

// "map[string]*http.Conn main.go:42 main.serve": its type, and where it was first met.
std::string GoSource::name_of(std::uint32_t process, const GoMap& map) {
    std::uint64_t type = map.type;
    if (const auto shape = shapes_.find({process, map.caller}); type == 0 && shape != shapes_.end())
        type = shape->second;
    std::string text = targets_[process].process->type_name(type);
    if (text.empty()) text = "map";
    const model::Stack stack = stack_of(process, map.caller);
    const model::Frame* frame = model::caller_of(stack, go_traits);
    if (frame == nullptr && !stack.frames.empty()) frame = &stack.frames[0];
    if (frame != nullptr) text += ' ' + go_place(*frame);
    return map.shared ? text + " (several)" : text;
}

void GoSource::describe_changed(model::Aggregator& aggregator) {
    for (std::uint32_t i = 0; i < targets_.size(); ++i) {
        Target& target = targets_[i];
        for (const GoMap* map : target.maps.changed()) {
            const model::MapId key = key_of(i, map->id);
            const model::MapInfo* known = aggregator.find(key);
            model::MapInfo info = known != nullptr ? *known : model::MapInfo{};
            if (known == nullptr) {
                info.source = &go_traits;
                info.name = name_of(i, *map);
                info.kind = target.process->binary().design() == GoMapDesign::classic ? "go classic" : "go swiss";
            }
            if (!map->shared) {
                info.size = map->size;
                info.buckets = map->buckets;
            }
            info.alive = map->alive;
            aggregator.describe(key, info);
        }
    }
}

void GoSource::collect(model::Aggregator& aggregator) {
    take_rows(aggregator);
    take_spills(aggregator);
    take_call_spills(aggregator);
    const GoEvents events = programs_->drain();
    for (const wire_go_fatal& fatal : events.fatal) take_fatal(fatal, aggregator);
    for (const wire_go_conflict& conflict : events.conflicts) take_conflict(conflict);
    if (windows_ != nullptr && options_.on_note)
        if (const std::string trouble = windows_->take_trouble(); !trouble.empty())
            options_.on_note("operations are no longer watched: " + trouble);
    look_at_maps();
    describe_changed(aggregator);
    ledger_ = programs_->ledger();
    const std::uint64_t lost = losses(ledger_);
    if (lost != lost_told_) aggregator.add_lost(targets_.front().process->process().pid(), traits(), lost - lost_told_);
    lost_told_ = lost;
}

void GoSource::detach(model::Aggregator& aggregator) {
    if (windows_ != nullptr) windows_->shut_for_good();
    links_.clear();
    collect(aggregator);
    attached_ = false;
}

// While hits go on, those that are on their way are not yet fired: their rows come with the next collection.
model::Ledger GoSource::ledger() const {
    model::Ledger ledger;
    ledger.handled = taken_;
    ledger.fired = attached_ ? taken_ + losses(ledger_) : ledger_.fired;
    const auto lost = [&](const char* cause, wire_go_loss which) {
        if (ledger_.lost[which] != 0) ledger.lost.push_back({cause, ledger_.lost[which]});
    };
    lost("unreadable memory: there was no map where one was to grow", WIRE_GO_LOST_UNREADABLE);
    lost("table of growths full: more maps grew within an interval, from more places, than it holds",
         WIRE_GO_LOST_TABLES);
    lost("event ring full", WIRE_GO_LOST_RING);
    lost("table of operations full: more maps were used within an interval, in more places, than it holds",
         WIRE_GO_LOST_CALLS);
    ledger.evidence_dropped = evidence_.dropped() + ledger_.untold;
    return ledger;
}

model::Activity GoSource::activity() const { return activity_of(ledger_); }

std::vector<model::Evidence> GoSource::evidence() {
    return evidence_.rows([&](const GoPlace& place, model::Evidence& row) {
        row.map = model::MapDescription{.id = key_of(place.process, place.map)};
        row.stack = stack_of(place.process, place.caller);
    });
}

}  // namespace mapaudit::sources
