// SPDX-License-Identifier: Apache-2.0
//
// Aggregates one audit: what was counted, by map, operation, CPU and thread, over this interval and over the whole
// run. Sources fill it, outputs read reports made from it. Pure: no clock, no I/O, no libbpf.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/counts.hpp"
#include "model/map.hpp"
#include "model/op.hpp"
#include "model/report.hpp"

namespace mapaudit::model {

struct CellKey {
    MapId map;
    Op op = Op::assign;
    std::uint32_t cpu = 0;
    std::uint32_t tid = 0;  // 0 where threads are not told apart
    auto operator<=>(const CellKey&) const = default;
};

// How much of a period was watched, in a unit that operations are proportional to: what targets did meanwhile.
struct Watched {
    double seen = 0, unseen = 0;
    double relative_error = 0;  // of `seen`, as a share of it; over 1: nothing can be said of what was not seen
    double scale = 0;           // unseen for each seen, since the start and by what is known now; 0: not known

    Watched operator-(const Watched& before) const {
        return {seen - before.seen, unseen - before.unseen, relative_error, scale};
    }
    // The latest error and scale hold for all of it.
    Watched& operator+=(const Watched& more) {
        seen += more.seen;
        unseen += more.unseen;
        relative_error = more.relative_error;
        scale = more.scale;
        return *this;
    }
};

struct AggregatorOptions {
    bool per_cpu = false;
    bool per_thread = false;
};

class Aggregator {
public:
    explicit Aggregator(AggregatorOptions options) : options_(options) {}

    // Adds to this interval and to the total.
    void add(const CellKey& key, const Counts& counts);
    // Learns or updates what is known of a map.
    void describe(const MapId& key, const MapInfo& info);
    const MapInfo* find(const MapId& key) const;
    // What outputs say of it; of a map that nobody has described, its id alone.
    MapRef ref(const MapId& key) const;
    // Loss that belongs to no map: one row of map_name "(lost)" per process.
    void add_lost(int pid, const SourceTraits& source, std::uint64_t count);

    // Those with an id.
    std::size_t maps() const { return infos_.size() - others_; }

    // What maps are blamed for, and its reports, with the maps' names.
    BlameAggregator& blame() { return blame_; }
    CpuReport close_cpu_interval() { return with_names(blame_.close_interval()); }
    CpuReport cpu_totals() const { return with_names(blame_.totals()); }

    // Operations of maps of `source` were not seen for `seconds` of the interval that is open: its rows' calls are
    // scaled to all of it, or where none of it was seen go on at their last rate, and say that they are estimates.
    void add_unseen(std::string_view source, double seconds);
    // The same of a source that knows better than by the time: what it has watched of the interval that is open.
    void add_watched(std::string_view source, const Watched& watched);

    // The rows of the interval, and a fresh interval. Every known, living map has a row for each of assign, lookup and
    // erase that it ever had a call of, also in an interval without one (calls 0, no percentiles): a series has no
    // holes. A grow row likewise. `seconds` is the interval's length.
    std::vector<Row> close_interval(double seconds);
    // The rows of the whole run, destroyed maps included; `seconds` is its length.
    std::vector<Row> totals(double seconds) const;

private:
    struct Cell {
        Counts interval, total;
        double rate = 0;                    // of calls, when they were last seen
        double unseen = 0, unseen_now = 0;  // calls of closed intervals that nobody saw; of the last one
        bool partly_unseen = false, partly_unseen_now = false;
        double recent_calls = 0;  // that the rate rests on
        // Where a source knows what it has watched: what the rate rests on is the latest windows, the older ones
        // fading; and work of closed intervals whose calls could not be estimated when they closed.
        double recent_work = 0, pending = 0;
        double relative_error = 0, scale = 0;  // of the rate; as in Watched
    };
    void estimate(double seconds);
    static void estimate_by_work(Cell& cell, const Watched& watched);
    CpuReport with_names(CpuReport report) const;
    std::uint64_t number_of(const MapId& key);

    AggregatorOptions options_;
    std::map<std::string, double, std::less<>> unseen_s_;  // by source
    std::map<std::string, Watched, std::less<>> watched_;  // likewise
    BlameAggregator blame_;
    struct Known {
        MapInfo info;
        MapRef ref;
    };
    std::map<MapId, Known> infos_;
    std::map<int, std::vector<std::uint32_t>> domains_;  // of each process, in the order that they came in
    std::size_t others_ = 0;                             // of these, for other_maps
    // cpu and tid are `all` (UINT32_MAX) except in the extra cells that the options ask for.
    std::map<CellKey, Cell> cells_;
    std::map<std::pair<int, const SourceTraits*>, std::pair<std::uint64_t, std::uint64_t>> lost_;  // interval, total
};

}  // namespace mapaudit::model
