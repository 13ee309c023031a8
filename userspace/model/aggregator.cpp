// SPDX-License-Identifier: Apache-2.0
#include "model/aggregator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace mapaudit::model {

namespace {

constexpr std::uint32_t all = UINT32_MAX;
constexpr double shortest_seen = 0.01;  // of an interval, for a rate to be made of it
constexpr double likely = 2;            // standard deviations: 19 of 20 cases
constexpr double most_error = 1;        // of an estimate; whoever would be told more than that is told what was seen
constexpr double fading = 0.75;         // of what windows showed, by the time of the next one

// Calls that were not seen, estimated, and whether there may have been any.
struct Unseen {
    double calls = 0;
    bool any = false;
    double rests_on = 0;  // calls that were seen
    double relative_error = 0;
    std::optional<double> calls_by_all;  // estimated by all that is known now
};

// As a share of all calls. Of calls that come by chance, as many as were seen are this far off; how far what they were
// scaled by is adds up; and what was estimated when less was known is off by the difference.
double error_of(std::uint64_t seen, const Unseen& unseen) {
    constexpr double none = std::numeric_limits<double>::infinity();
    if (unseen.relative_error > most_error) return none;
    const double chance = likely / std::sqrt(std::max(unseen.rests_on, 1.0));
    const double revised = unseen.calls_by_all ? std::abs(unseen.calls - *unseen.calls_by_all) : 0;
    const double error = (std::hypot(chance, unseen.relative_error) * unseen.calls + revised) /
                         (static_cast<double>(seen) + unseen.calls);
    return error > most_error ? none : error;
}

// After the times, which rest on what was seen.
Row with_unseen(Row row, const Unseen& unseen, double seconds) {
    row.estimated = unseen.any;
    if (unseen.any && static_cast<double>(row.calls) + unseen.calls > 0) row.error = error_of(row.calls, unseen);
    if (std::isfinite(row.error)) row.calls += static_cast<std::uint64_t>(unseen.calls + 0.5);
    row.calls_per_s = seconds > 0 ? static_cast<double>(row.calls) / seconds : 0;
    if (row.timed != 0) row.weight = std::max(1.0, static_cast<double>(row.calls) / static_cast<double>(row.timed));
    return row;
}

// What a map grew by in one scope: on all of its rows.
struct Growth {
    std::uint64_t grows = 0;
    std::int64_t buckets = 0;
};

double per_second(double amount, double seconds) { return seconds > 0 ? amount / seconds : 0; }

std::optional<std::uint64_t> highest_latency(const Counts& counts) {
    const std::optional<std::uint64_t> top = counts.latency.highest();
    if (counts.latency_max == 0 || !top) return top;
    // Where only some of what was added came with its maximum, a higher bucket betrays a larger one.
    if (mapaudit_bucket(counts.latency_max) < mapaudit_bucket(*top)) return top;
    return counts.latency_max;
}

void fill_latency(Row& row, const Counts& counts) {
    const std::uint64_t timed = counts.latency.count();
    if (timed == 0) {
        // Not one call was timed, so one in `calls` at most.
        row.weight = std::max(1.0, static_cast<double>(counts.calls));
        return;
    }
    const std::optional<std::uint64_t> max = highest_latency(counts);
    // A bucket's midpoint may lie above the largest value in it.
    const auto quantile_ns = [&](const Histogram& histogram, double quantile) -> std::optional<double> {
        const std::optional<double> value = histogram.quantile(quantile);
        if (!value) return std::nullopt;
        return std::min(*value, static_cast<double>(*max)) * counts.ns_per_unit;
    };
    row.p50_ns = quantile_ns(counts.latency, 0.5);
    row.p90_ns = quantile_ns(counts.latency, 0.9);
    row.p99_ns = quantile_ns(counts.latency, 0.99);
    row.p999_ns = quantile_ns(counts.latency, 0.999);
    row.max_ns = static_cast<double>(*max) * counts.ns_per_unit;
    const double sum = counts.latency_sum != 0 ? static_cast<double>(counts.latency_sum) : counts.latency.sum();
    row.mean_ns = sum / static_cast<double>(timed) * counts.ns_per_unit;
    row.wait_p99_ns = quantile_ns(counts.wait, 0.99);
    row.weight = std::max(1.0, static_cast<double>(counts.calls) / static_cast<double>(timed));
}

// Values of `histogram` from bucket `from` on.
std::uint64_t count_from(const Histogram& histogram, std::uint32_t from) {
    std::uint64_t count = 0;
    for (std::uint32_t bucket = from; bucket < MAPAUDIT_BUCKETS; ++bucket) count += histogram.bucket_count(bucket);
    return count;
}

void fill_growth(Row& row, const Counts& counts) {
    if (counts.grew.count() == 0) return;
    GrowthCost& cost = row.growth;
    cost.calls = counts.grew.count();
    cost.total_ns = static_cast<double>(counts.grew_sum) * counts.ns_per_unit;
    // The bucket that the P99 lies in.
    const auto p99 = counts.latency.quantile(0.99);
    if (!p99) return;
    const std::uint32_t from = mapaudit_bucket(static_cast<std::uint64_t>(*p99));
    cost.slowest = count_from(counts.latency, from);
    cost.slowest_grew = count_from(counts.grew, from);
    Histogram without;
    for (std::uint32_t bucket = 0; bucket < MAPAUDIT_BUCKETS; ++bucket) {
        const std::uint64_t all_calls = counts.latency.bucket_count(bucket), grew = counts.grew.bucket_count(bucket);
        if (all_calls > grew) without.add_bucket(bucket, all_calls - grew);
    }
    if (const auto value = without.quantile(0.99)) cost.p99_without_ns = *value * counts.ns_per_unit;
}

void fill_map(Row& row, const MapInfo& info) {
    row.size = info.size;
    row.buckets = info.buckets;
    if (info.size && info.buckets && *info.buckets != 0)
        row.load_factor = static_cast<double>(*info.size) / static_cast<double>(*info.buckets);
}

Row make_row(const CellKey& key, const MapRef& map, const MapInfo* info, const Counts& counts, const Growth& growth,
             double seconds) {
    Row row;
    row.map = map;
    row.op = key.op;
    if (info != nullptr) fill_map(row, *info);
    if (key.cpu != all) row.cpu = key.cpu;
    if (key.tid != all) row.tid = key.tid;
    row.calls = counts.calls;
    row.calls_per_s = per_second(static_cast<double>(counts.calls), seconds);
    fill_latency(row, counts);
    row.timed = counts.latency.count();
    fill_growth(row, counts);
    row.waits = counts.waits;
    row.wait_total_ns = static_cast<double>(counts.wait_sum) * counts.ns_per_unit;
    row.conflicts = counts.conflicts;
    row.fatal_errors = counts.fatal_errors;
    row.migrations = counts.migrations;
    row.grows = growth.grows;
    row.buckets_per_s = per_second(static_cast<double>(growth.buckets), seconds);
    row.lost = counts.lost;
    return row;
}

Row make_lost_row(int pid, const SourceTraits& source, std::uint64_t count) {
    Row row;
    row.map = MapDescription{.id = {.pid = pid}, .source = &source, .name = "(lost)"};
    row.lost = count;
    return row;
}

// Walks the cells map by map and makes their rows. `counts_of(cell)` is what a cell holds in this scope,
// `unseen_of(cell)` what it does not;
// `wanted(info, active)` is whether a map, of which nothing is known if info is null, has rows in it.
template <class Cells, class Infos, class CountsOf, class UnseenOf, class Wanted, class Emit>
void for_each_row(const Cells& cells, const Infos& infos, double seconds, CountsOf counts_of, UnseenOf unseen_of,
                  Wanted wanted, Emit emit) {
    for (auto map_begin = cells.begin(); map_begin != cells.end();) {
        const MapId& map = map_begin->first.map;
        Growth growth;
        bool active = false;
        auto map_end = map_begin;
        for (; map_end != cells.end() && map_end->first.map == map; ++map_end) {
            if (map_end->first.cpu != all || map_end->first.tid != all) continue;
            const Counts& counts = counts_of(map_end->second);
            growth.grows += counts.grows;
            growth.buckets += counts.buckets_grown;
            active = active || !counts.is_empty();
        }
        const auto found = infos.find(map);
        const MapInfo* info = found == infos.end() ? nullptr : &found->second.info;
        const MapRef ref =
            found == infos.end() ? MapRef(MapDescription{.id = map, .number = map.id}) : found->second.ref;
        for (auto op_begin = map_begin; wanted(info, active) && op_begin != map_end;) {
            auto op_end = op_begin;
            while (op_end != map_end && op_end->first.op == op_begin->first.op) ++op_end;
            // `all` is the largest key, so the summing cell is the operation's last; it is the first row.
            const auto sum = std::prev(op_end);
            emit(with_unseen(make_row(sum->first, ref, info, counts_of(sum->second), growth, seconds),
                             unseen_of(sum->second), seconds));
            for (; op_begin != sum; ++op_begin) {
                const Counts& counts = counts_of(op_begin->second);
                // CPUs stay, threads come and go: one that did nothing in this scope may long be gone.
                if (op_begin->first.tid != all && counts.is_empty()) continue;
                emit(with_unseen(make_row(op_begin->first, ref, info, counts, growth, seconds),
                                 unseen_of(op_begin->second), seconds));
            }
            op_begin = op_end;
        }
        map_begin = map_end;
    }
}

// Rows of loss stand before the maps of their process: their map id is 0, which no map has.
std::vector<Row> with_lost_rows(std::vector<Row> lost, std::vector<Row> rows) {
    if (lost.empty()) return rows;
    std::vector<Row> merged;
    merged.reserve(lost.size() + rows.size());
    std::merge(std::make_move_iterator(lost.begin()), std::make_move_iterator(lost.end()),
               std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()), std::back_inserter(merged),
               [](const Row& a, const Row& b) { return a.pid() < b.pid(); });
    return merged;
}

}  // namespace

// Only the interval is added to here; it is merged into the total when it closes, once instead of once per CPU.
void Aggregator::add(const CellKey& key, const Counts& counts) {
    if (counts.is_empty()) return;
    cells_[{key.map, key.op, all, all}].interval.add(counts);
    if (options_.per_cpu && key.cpu != all) cells_[{key.map, key.op, key.cpu, all}].interval.add(counts);
    const bool thread_known = key.tid != 0 && key.tid != all;
    if (options_.per_thread && thread_known) cells_[{key.map, key.op, all, key.tid}].interval.add(counts);
}

void Aggregator::describe(const MapId& key, const MapInfo& info) {
    const auto [entry, made] = infos_.try_emplace(key);
    MapInfo& known = entry->second.info;
    if (made && key.id == other_maps) ++others_;
    bool said = made;  // something that the shared description says
    const auto learn = [&said](auto& old, const auto& now) {
        said = said || old != now;
        old = now;
    };
    if (info.source != nullptr) learn(known.source, info.source);
    if (!info.name.empty()) learn(known.name, info.name);
    if (!info.kind.empty()) learn(known.kind, info.kind);
    learn(known.checked, known.checked || info.checked);
    if (info.size) known.size = info.size;
    if (info.buckets) known.buckets = info.buckets;
    if (info.overflow) known.overflow = info.overflow;
    known.alive = info.alive;
    if (said)
        entry->second.ref = MapDescription{.id = key,
                                           .number = number_of(key),
                                           .source = known.source != nullptr ? known.source : &unknown_source,
                                           .name = known.name,
                                           .kind = known.kind,
                                           .checked = known.checked};
}

std::uint64_t Aggregator::number_of(const MapId& key) {
    std::vector<std::uint32_t>& domains = domains_[key.pid];
    auto found = std::find(domains.begin(), domains.end(), key.domain);
    if (found == domains.end()) found = domains.insert(domains.end(), key.domain);
    return domain_number(static_cast<std::uint32_t>(found - domains.begin()), key.id);
}

const MapInfo* Aggregator::find(const MapId& key) const {
    const auto found = infos_.find(key);
    return found == infos_.end() ? nullptr : &found->second.info;
}

MapRef Aggregator::ref(const MapId& key) const {
    const auto found = infos_.find(key);
    return found == infos_.end() ? MapRef(MapDescription{.id = key, .number = key.id}) : found->second.ref;
}

CpuReport Aggregator::with_names(CpuReport report) const {
    for (MapBlame& map : report.maps) map.map = ref(map.map->id);
    return report;
}

void Aggregator::add_lost(int pid, const SourceTraits& source, std::uint64_t count) {
    if (count == 0) return;
    auto& [interval, total] = lost_[{pid, &source}];
    interval += count;
    total += count;
}

// What the open interval did not see of operations, by what it did see of them. Growth has probes of its own.
void Aggregator::estimate(double seconds) {
    const auto by_time = std::exchange(unseen_s_, {});
    const auto by_work = std::exchange(watched_, {});
    for (auto& [key, cell] : cells_) {
        if (key.op == Op::grow) continue;
        // Where all was seen, as nearly always, nobody needs to be asked whose map it is.
        const MapInfo* info = by_time.empty() && by_work.empty() ? nullptr : find(key.map);
        const std::string_view source =
            info == nullptr || info->source == nullptr ? std::string_view() : info->source->name;
        const auto time = by_time.find(source);
        const auto work = by_work.find(source);
        if (work != by_work.end()) {
            estimate_by_work(cell, work->second);
            continue;
        }
        const double unseen = time == by_time.end() ? 0 : std::min(time->second, seconds), seen = seconds - unseen;
        if (seen > shortest_seen * seconds) {
            cell.recent_calls = static_cast<double>(cell.interval.calls);
            cell.rate = cell.recent_calls / seen;
        }
        cell.unseen_now = std::floor(cell.rate * unseen + 0.5);
        cell.unseen += cell.unseen_now;
        cell.partly_unseen = cell.partly_unseen || unseen > 0;
        cell.partly_unseen_now = unseen > 0;
    }
}

// A rate of one short window would be made much of: it is that of the last few. What cannot be estimated yet is part of
// the total as soon as it can.
void Aggregator::estimate_by_work(Cell& cell, const Watched& watched) {
    const double unseen = std::max(watched.unseen, 0.0), seen = std::max(watched.seen, 0.0);
    if (seen > 0) {
        cell.recent_calls = fading * cell.recent_calls + static_cast<double>(cell.interval.calls);
        cell.recent_work = fading * cell.recent_work + seen;
        cell.rate = cell.recent_calls / cell.recent_work;
    }
    cell.relative_error = watched.relative_error;
    cell.scale = watched.scale;
    cell.pending += unseen;
    cell.unseen_now = 0;
    if (watched.relative_error <= most_error) {
        cell.unseen_now = std::floor(cell.rate * unseen + 0.5);
        cell.unseen += std::floor(cell.rate * std::exchange(cell.pending, 0) + 0.5);
    }
    cell.partly_unseen = cell.partly_unseen || unseen > 0;
    cell.partly_unseen_now = unseen > 0;
}

void Aggregator::add_unseen(std::string_view source, double seconds) {
    if (seconds <= 0) return;
    unseen_s_.try_emplace(std::string(source)).first->second += seconds;
}

void Aggregator::add_watched(std::string_view source, const Watched& watched) {
    watched_[std::string(source)] += watched;
}

std::vector<Row> Aggregator::close_interval(double seconds) {
    std::vector<Row> rows, lost;
    rows.reserve(cells_.size());
    estimate(seconds);
    for_each_row(
        cells_, infos_, seconds, [](const Cell& cell) -> const Counts& { return cell.interval; },
        [](const Cell& cell) {
            return Unseen{cell.unseen_now, cell.partly_unseen_now, cell.recent_calls, cell.relative_error, {}};
        },
        [](const MapInfo* info, bool active) { return active || (info != nullptr && info->alive); },
        [&](Row row) { rows.push_back(std::move(row)); });
    for (auto& [key, cell] : cells_) {
        if (cell.interval.is_empty()) continue;
        cell.total.add(cell.interval);
        cell.interval = Counts{};
    }
    for (auto& [key, counts] : lost_)
        lost.push_back(make_lost_row(key.first, *key.second, std::exchange(counts.first, 0)));
    return with_lost_rows(std::move(lost), std::move(rows));
}

std::vector<Row> Aggregator::totals(double seconds) const {
    std::vector<Row> rows, lost;
    rows.reserve(cells_.size());
    Counts scratch;
    for_each_row(
        cells_, infos_, seconds,
        [&](const Cell& cell) -> const Counts& {
            if (cell.interval.is_empty()) return cell.total;
            scratch = cell.total;
            scratch.add(cell.interval);
            return scratch;
        },
        [](const Cell& cell) {
            const auto seen = static_cast<double>(cell.total.calls + cell.interval.calls);
            std::optional<double> by_all;
            if (cell.scale > 0) by_all = seen * cell.scale;
            return Unseen{cell.unseen, cell.partly_unseen, seen, cell.relative_error, by_all};
        },
        [](const MapInfo*, bool) { return true; }, [&](Row row) { rows.push_back(std::move(row)); });
    for (const auto& [key, counts] : lost_) lost.push_back(make_lost_row(key.first, *key.second, counts.second));
    return with_lost_rows(std::move(lost), std::move(rows));
}

}  // namespace mapaudit::model
