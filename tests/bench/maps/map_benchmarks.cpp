// SPDX-License-Identifier: Apache-2.0
#include "maps/map_benchmarks.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <iostream>

#include "maps/window.hpp"
#include "subject.hpp"

namespace mapaudit::bench {
namespace {

constexpr std::uint64_t few_keys = 1'000'000;  // up to here all maps find room at once

class MapBenchmarks {
public:
    MapBenchmarks(MapOutcome& outcome, const Field& field, const MapBenchPlan& plan)
        : outcome_(outcome), field_(field), plan_(plan) {}

    void run() {
        for (const auto& points : by_keys()) {
            const Keys keys(points.front().kind, points.front().keys);
            points.front().keys <= few_keys ? run_together(points, keys) : run_in_rounds(points, keys);
        }
    }

private:
    // Takes what Google Benchmark reports of a run.
    class Collector : public benchmark::BenchmarkReporter {
    public:
        explicit Collector(MapFigure& figure) : figure_(figure) {}
        bool ReportContext(const Context&) override { return true; }
        void ReportRuns(const std::vector<Run>& runs) override {
            for (const Run& run : runs)
                if (const auto rate = run.counters.find("items_per_second"); rate != run.counters.end())
                    figure_.ops_per_s.push_back(rate->second);
        }

    private:
        MapFigure& figure_;
    };

    static std::string name_of(const Candidate& candidate, const Point& point) {
        return point_name(point) + "/" + candidate.name;
    }
    bool asked_for(const Candidate& candidate, const Point& point) const {
        return takes_part(candidate, point) && std::regex_search(name_of(candidate, point), plan_.only);
    }
    bool asked_for(const Candidate& candidate, const std::vector<Point>& points) const {
        return std::ranges::any_of(points, [&](const Point& point) { return asked_for(candidate, point); });
    }
    std::vector<std::vector<Point>> by_keys() const {
        std::vector<std::vector<Point>> all;
        for (const Point& point : plan_.points) {
            if (std::ranges::none_of(field_.candidates, [&](const Candidate& c) { return asked_for(c, point); }))
                continue;
            if (all.empty() || all.back().front().kind != point.kind || all.back().front().keys != point.keys)
                all.emplace_back();
            all.back().push_back(point);
        }
        return all;
    }

    void run_together(const std::vector<Point>& points, const Keys& keys) {
        std::vector<std::unique_ptr<MapSubject>> maps;
        std::vector<std::uint64_t> sizes(field_.candidates.size());
        for (const Candidate& candidate : field_.candidates)
            maps.push_back(asked_for(candidate, points) ? candidate.make(keys.kind, keys.count) : nullptr);
        for (const Point& point : points) {
            const auto steps = draw_steps(point, keys);
            for (std::size_t i = 0; i < maps.size(); ++i)
                if (maps[i] != nullptr) sizes[i] = filled(*maps[i], keys, field_.candidates[i]);
            for (unsigned round = 0; round < plan_.repetitions; ++round) {
                tell(point, round);
                for (std::size_t i = 0; i < maps.size(); ++i)
                    if (maps[i] != nullptr)
                        measure(*maps[i], sizes[i], field_.candidates[i], point, keys, steps, round);
                keep();
            }
        }
    }

    void run_in_rounds(const std::vector<Point>& points, const Keys& keys) {
        std::vector<std::vector<MapStep>> steps;
        for (const Point& point : points) steps.push_back(draw_steps(point, keys));
        for (unsigned round = 0; round < plan_.repetitions; ++round)
            for (const Candidate& candidate : field_.candidates) {
                // Filling a large map only to measure nothing with it would take seconds.
                const auto map = asked_for(candidate, points) ? candidate.make(keys.kind, keys.count) : nullptr;
                if (map == nullptr) continue;
                std::cerr << "bench-maps: " << keys_label(keys.count) << " keys, " << candidate.name << ", round "
                          << round + 1 << " of " << plan_.repetitions << std::endl;
                std::uint64_t size = 0;
                for (std::size_t i = 0; i < points.size(); ++i) {
                    const bool wants_all = i == 0 || points[i].read_percent == 100;
                    if (wants_all && size != keys.count) size = filled(*map, keys, candidate);
                    measure(*map, size, candidate, points[i], keys, steps[i], round);
                }
                keep();
            }
    }

    static std::uint64_t filled(MapSubject& map, const Keys& keys, const Candidate& candidate) {
        map.fill(keys);
        if (const std::uint64_t size = map.size(); size != keys.count)
            throw BenchError(candidate.name + " has " + std::to_string(size) + " elements after " +
                             std::to_string(keys.count) + " keys were put in");
        return keys.count;
    }

    void measure(MapSubject& map, std::uint64_t& size, const Candidate& candidate, const Point& point, const Keys& keys,
                 const std::vector<MapStep>& steps, unsigned round) {
        if (!asked_for(candidate, point)) return;
        MapFigure& figure = figure_of(candidate, point);
        const std::string name = name_of(candidate, point);
        const auto run = [&](benchmark::State& state) {
            for ([[maybe_unused]] auto _ : state) {
                try {
                    const MapWindow window = measure_window(map, point, keys, steps, size, round, plan_.window);
                    size = window.size;
                    state.SetIterationTime(window.seconds);
                    state.SetItemsProcessed(static_cast<std::int64_t>(window.tally.ops()));
                    figure.tally += window.tally;
                } catch (const BenchError& error) {
                    outcome_.refused.push_back(name + ": " + error.what());
                    size = map.size();  // or every later window would be refused as well
                    state.SkipWithError(error.what());
                    break;
                }
            }
        };
        // The window is the measurement: one iteration of it, timed from within.
        benchmark::RegisterBenchmark(name.c_str(), run)->Iterations(1)->Repetitions(1)->UseManualTime();
        Collector collector(figure);
        benchmark::RunSpecifiedBenchmarks(&collector);
        benchmark::ClearRegisteredBenchmarks();
    }

    // In rounds, figures come by map: by point, for people. What was refused each time has no figure.
    void keep() {
        std::ranges::stable_sort(outcome_.figures, {}, [&](const MapFigure& figure) {
            return std::ranges::find(plan_.points, figure.point) - plan_.points.begin();
        });
        std::erase_if(outcome_.figures, [](const MapFigure& figure) { return figure.ops_per_s.empty(); });
        plan_.keep(outcome_);
    }

    MapFigure& figure_of(const Candidate& candidate, const Point& point) {
        for (MapFigure& figure : outcome_.figures)
            if (figure.point == point && figure.map == candidate.name) return figure;
        return outcome_.figures.emplace_back(
            MapFigure{point, candidate.name, candidate.side, candidate.concurrent, {}, {}});
    }
    void tell(const Point& point, unsigned round) const {
        std::cerr << "bench-maps: " << group_label(point) << ", " << point.read_percent << " % reads, round "
                  << round + 1 << " of " << plan_.repetitions << std::endl;
    }

    MapOutcome& outcome_;
    const Field& field_;
    const MapBenchPlan& plan_;
};

}  // namespace

void run_benchmarks(MapOutcome& outcome, const Field& field, const MapBenchPlan& plan) {
    MapBenchmarks(outcome, field, plan).run();
}

}  // namespace mapaudit::bench
