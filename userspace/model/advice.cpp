// SPDX-License-Identifier: Apache-2.0
#include "model/advice.hpp"

#include <algorithm>
#include <map>

#include "model/thresholds.hpp"

namespace mapaudit::model {
namespace {

// Below these too, what was seen is no reason to change a program.
constexpr double hold_share_worth_telling = 0.30;       // of the time waited
constexpr double hold_worth_telling_ns = 100'000;       // shorter ones are the map's own work
constexpr double preempted_share_worth_telling = 0.30;  // of the time held
constexpr std::uint64_t preemptions_worth_telling = 10;
constexpr double read_mostly = 0.90;
constexpr double growth_share_worth_telling = 0.05;   // of the assigns' time
constexpr double slowest_share_worth_telling = 0.25;  // of the calls at or above the P99
constexpr std::uint64_t growths_worth_telling = 3;

struct MapFigures {
    const Row* any = nullptr;
    const Row* ops[MAPAUDIT_HOT_OPS] = {};
    std::uint64_t calls = 0, lookups = 0, waits = 0, conflicts = 0;
    double busy_ns = 0, waited_ns = 0;
};

std::map<MapId, MapFigures> figures_of(const Report& total) {
    std::map<MapId, MapFigures> maps;
    for (const Row& row : total.rows) {
        if (!row.is_sum() || row.op == Op::none) continue;
        // Where operations are not watched, fatal errors stand with the growths.
        const bool operation = row.op != Op::grow;
        if (!operation && row.conflicts_seen() == 0) continue;
        MapFigures& map = maps[row.map->id];
        map.any = &row;
        map.conflicts += row.conflicts_seen();
        if (!operation) continue;
        if (const auto op = hot_index(row.op)) map.ops[*op] = &row;
        if (row.op == Op::lookup) map.lookups += row.calls;
        map.calls += row.calls;
        map.waits += row.waits;
        map.waited_ns += row.wait_total_ns;
        map.busy_ns += time_spent_ns(row);
    }
    return maps;
}

Advice about(const MapFigures& map, AdviceKind kind) {
    Advice advice;
    advice.kind = kind;
    advice.map = map.any->map;
    advice.calls = map.calls;
    return advice;
}

void advise_on_conflicts(const MapFigures& map, std::vector<Advice>& all) {
    if (map.conflicts == 0) return;
    all.push_back(about(map, AdviceKind::guard));
    all.back().events = map.conflicts;
}

// Does the operation itself last that long, one time in a thousand at least? Else the holder lost its CPU meanwhile,
// and its code is not to blame.
bool is_long_work(const MapFigures& map, std::uint32_t op, double hold_ns) {
    if (op == MAPAUDIT_OP_WHOLE) return true;
    const Row* row = op < MAPAUDIT_HOT_OPS ? map.ops[op] : nullptr;
    return row != nullptr && row->p999_ns && hold_ns <= 4 * *row->p999_ns;
}

// One place in the program that holds the lock for most of the time that others wait for it.
bool advise_on_holds(const MapFigures& map, const std::vector<const Evidence*>& evidence, std::vector<Advice>& all) {
    struct Hold {
        double waited_ns = 0;
        std::uint64_t waits = 0, held = 0;
        double held_ns = 0, longest_ns = 0;
        std::uint32_t op = 0;
    };
    std::map<std::pair<std::string, std::uint32_t>, std::pair<Frame, Hold>> holds;
    const auto hold_at = [&](const Stack& stack) -> Hold* {
        const Frame* frame = caller_of(stack, *map.any->map->source);
        if (frame == nullptr) return nullptr;
        auto& [where, hold] = holds[{frame->function, frame->line}];
        where = *frame;
        return &hold;
    };
    double waited_ns = 0;
    for (const Evidence* row : evidence) {
        if (row->kind == EvidenceKind::waiting) {
            waited_ns += static_cast<double>(row->total_ns);
            if (Hold* hold = hold_at(row->other_stack); hold != nullptr) {
                hold->waited_ns += static_cast<double>(row->total_ns);
                hold->waits += row->count;
            }
        } else if (row->kind == EvidenceKind::owning) {
            if (Hold* hold = hold_at(row->stack); hold != nullptr) {
                hold->held += row->count;
                hold->held_ns += static_cast<double>(row->total_ns);
                hold->longest_ns = std::max(hold->longest_ns, static_cast<double>(row->max_ns));
                hold->op = row->detail;
            }
        }
    }
    const auto worst = std::max_element(holds.begin(), holds.end(), [](const auto& a, const auto& b) {
        return a.second.second.waited_ns < b.second.second.waited_ns;
    });
    if (worst == holds.end() || waited_ns <= 0) return false;
    const auto& [where, hold] = worst->second;
    if (hold.held == 0 || hold.waited_ns < hold_share_worth_telling * waited_ns) return false;
    const double mean_hold_ns = hold.held_ns / static_cast<double>(hold.held);
    if (mean_hold_ns < hold_worth_telling_ns || !is_long_work(map, hold.op, mean_hold_ns)) return false;
    all.push_back(about(map, AdviceKind::release));
    Advice& advice = all.back();
    advice.where = where;
    advice.events = hold.waits;
    advice.waited_ns = hold.waited_ns;
    advice.share = hold.waited_ns / waited_ns;
    advice.longest_ns = hold.longest_ns;
    return true;
}

void advise_on_waits(const MapFigures& map, std::vector<Advice>& all) {
    if (map.waits < waits_worth_telling || map.busy_ns <= 0) return;
    const double share = map.waited_ns / map.busy_ns;
    if (share < wait_share_worth_telling) return;
    const double reads = static_cast<double>(map.lookups) / static_cast<double>(map.calls);
    const bool one_lock = map.any->map->kind != "sharded_map";
    if (!one_lock) return;
    const bool shared = map.any->map->kind == "rwlock_map";
    all.push_back(about(map, reads >= read_mostly && !shared ? AdviceKind::share : AdviceKind::shard));
    Advice& advice = all.back();
    advice.events = map.waits;
    advice.waited_ns = map.waited_ns;
    advice.share = share;
    advice.reads = reads;
}

// The lock is held for long because its holders are made to wait for a CPU, not because of what they do.
bool advise_on_preemption(const MapFigures& map, const std::vector<const Evidence*>& evidence, const OpBlame& blame,
                          std::vector<Advice>& all) {
    if (map.waits < waits_worth_telling || map.waited_ns < wait_share_worth_telling * map.busy_ns) return false;
    if (blame.lock_preemptions < preemptions_worth_telling) return false;
    double held_ns = 0;  // of the holds that somebody waited for
    for (const Evidence* row : evidence)
        if (row->kind == EvidenceKind::owning) held_ns += static_cast<double>(row->total_ns);
    const auto preempted_ns = static_cast<double>(blame.lock_preempted_ns);
    if (held_ns <= 0 || preempted_ns < preempted_share_worth_telling * held_ns) return false;
    all.push_back(about(map, AdviceKind::relieve));
    Advice& advice = all.back();
    advice.events = blame.lock_preemptions;
    advice.waited_ns = map.waited_ns;
    advice.preempted_ns = preempted_ns;
    advice.share = std::min(1.0, preempted_ns / held_ns);
    return true;
}

void advise_on_growth(const MapFigures& map, const Row* grow, std::vector<Advice>& all) {
    if (grow == nullptr || map.ops[MAPAUDIT_OP_ASSIGN] == nullptr || grow->grows < growths_worth_telling) return;
    const Row& assign = *map.ops[MAPAUDIT_OP_ASSIGN];
    const GrowthCost& cost = assign.growth;
    if (cost.calls == 0 || !assign.mean_ns || assign.timed <= cost.calls) return;
    const double all_ns = *assign.mean_ns * static_cast<double>(assign.timed);
    const double ordinary_ns = (all_ns - cost.total_ns) / static_cast<double>(assign.timed - cost.calls);
    const double saved_ns = cost.total_ns - ordinary_ns * static_cast<double>(cost.calls);
    const double of_slowest =
        cost.slowest == 0 ? 0 : static_cast<double>(cost.slowest_grew) / static_cast<double>(cost.slowest);
    const bool much = saved_ns >= growth_share_worth_telling * all_ns;
    if (!much && of_slowest < slowest_share_worth_telling) return;
    if (saved_ns <= 0 || !assign.size || *assign.size == 0 || !assign.p99_ns || !cost.p99_without_ns) return;
    all.push_back(about(map, AdviceKind::reserve));
    Advice& advice = all.back();
    advice.events = grow->grows;
    advice.saved_ns = saved_ns * assign.weight;
    advice.share = saved_ns / all_ns;
    advice.elements = *assign.size;
    advice.p99_ns = *assign.p99_ns;
    advice.p99_without_ns = *cost.p99_without_ns;
}

// For a map whose operations are not watched: what growing cost is not known, nor what it held in between.
void advise_on_growths_alone(const Row& grow, const std::vector<const Evidence*>& evidence, std::vector<Advice>& all) {
    if (grow.grows < growths_worth_telling) return;
    MapFigures map;
    map.any = &grow;
    all.push_back(about(map, AdviceKind::reserve));
    Advice& advice = all.back();
    advice.events = grow.grows;
    advice.elements = grow.size.value_or(0);
    std::uint64_t most = 0;
    for (const Evidence* row : evidence) {
        const Frame* frame = row->kind == EvidenceKind::growing ? caller_of(row->stack, *grow.map->source) : nullptr;
        if (frame == nullptr || row->count <= most) continue;
        most = row->count;
        advice.where = *frame;
    }
}

}  // namespace

std::vector<Advice> advise(const Report& total) {
    std::map<MapId, std::vector<const Evidence*>> evidence;
    for (const Evidence& row : total.evidence) evidence[row.map->id].push_back(&row);
    std::map<MapId, const Row*> growths;
    for (const Row& row : total.rows)
        if (row.op == Op::grow && row.is_sum()) growths[row.map->id] = &row;

    std::map<MapId, OpBlame> blame;
    for (const MapBlame& map : total.cpu.maps) blame[map.map->id].add(map.sum());

    std::vector<Advice> all;
    const std::map<MapId, MapFigures> figures = figures_of(total);
    for (const auto& [id, map] : figures) {
        advise_on_conflicts(map, all);
        const bool preempted = advise_on_preemption(map, evidence[id], blame[id], all);
        if (preempted || !advise_on_holds(map, evidence[id], all)) advise_on_waits(map, all);
        const auto grow = growths.find(id);
        advise_on_growth(map, grow == growths.end() ? nullptr : grow->second, all);
    }
    for (const auto& [id, grow] : growths)
        if (const auto known = figures.find(id);
            grow->map->source->growth_speaks_alone && (known == figures.end() || known->second.calls == 0))
            advise_on_growths_alone(*grow, evidence[id], all);
    std::stable_sort(all.begin(), all.end(), [](const Advice& a, const Advice& b) {
        const bool a_guard = a.kind == AdviceKind::guard, b_guard = b.kind == AdviceKind::guard;
        if (a_guard != b_guard) return a_guard;
        const double a_ns = std::max(a.waited_ns, a.saved_ns), b_ns = std::max(b.waited_ns, b.saved_ns);
        return a_ns != b_ns ? a_ns > b_ns : a_ns == 0 && a.events > b.events;
    });
    return all;
}

}  // namespace mapaudit::model
