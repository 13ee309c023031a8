// SPDX-License-Identifier: Apache-2.0
#include "scale/aggregation.hpp"

#include <malloc.h>

#include <array>
#include <chrono>
#include <ctime>

#include "distributions.hpp"
#include "model/aggregator.hpp"
#include "subject.hpp"

namespace mapaudit::bench {
namespace {

constexpr std::uint64_t stretches = 20;
constexpr std::uint32_t steady_maps = 3, cpus = 2;
constexpr int pid = 7;
constexpr std::array ops{model::Op::assign, model::Op::lookup, model::Op::erase};
constexpr model::SourceTraits source{.name = "usdt"};

double thread_cpu_ns() {
    timespec now;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double heap_mib() { return static_cast<double>(::mallinfo2().uordblks) / (1024 * 1024); }

// What a drain of one map, operation and CPU brings: latencies over a few octaves.
std::vector<model::Counts> sample_counts() {
    workload::Random random(1, 0);
    std::vector<model::Counts> samples(64);
    for (model::Counts& counts : samples) {
        for (int i = 0; i < 200; ++i) {
            const std::uint64_t latency = 20 + random.below(std::uint64_t{1} << (4 + random.below(10)));
            ++counts.calls;
            counts.latency.add(latency);
            counts.latency_sum += latency;
            counts.latency_max = std::max(counts.latency_max, latency);
        }
    }
    return samples;
}

class Run {
public:
    Run() : samples_(sample_counts()) {}

    void step(std::uint64_t interval, std::uint64_t intervals_a_map) {
        if (intervals_a_map != 0 && interval % intervals_a_map == 0) {
            if (interval != 0) describe(last_map_, false);
            ++last_map_;
        }
        for (std::uint32_t map = 1; map <= steady_maps; ++map) add(map, interval);
        if (intervals_a_map != 0) add(last_map_, interval);
        rows_ += aggregator_.close_interval(1).size();
    }

    std::uint64_t maps_seen() const { return last_map_; }

    double totals_ms() const {
        const double start = thread_cpu_ns();
        const auto rows = aggregator_.totals(1);
        const double took_ms = (thread_cpu_ns() - start) / 1e6;
        std::uint64_t calls = 0;
        for (const model::Row& row : rows) calls += row.calls;
        if (calls != put_in_ || rows_ == 0)
            throw BenchError("the aggregator's totals are " + std::to_string(calls) + " calls, " +
                             std::to_string(put_in_) + " were put in");
        return took_ms;
    }

private:
    void describe(std::uint32_t map, bool alive) {
        model::MapInfo info;
        info.source = &source;
        info.name = "scale-" + std::to_string(map);
        info.kind = "go_map";
        info.size = 100;
        info.buckets = 16;
        info.alive = alive;
        aggregator_.describe({pid, 0, map}, info);
    }

    void add(std::uint32_t map, std::uint64_t interval) {
        describe(map, true);  // as a source does at every drain
        for (const model::Op op : ops)
            for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
                const model::Counts& counts =
                    samples_[(interval * 7 + map * 3 + static_cast<std::uint32_t>(op) * 2 + cpu) % samples_.size()];
                aggregator_.add({{pid, 0, map}, op, cpu, 0}, counts);
                put_in_ += counts.calls;
            }
    }

    model::Aggregator aggregator_{model::AggregatorOptions{}};
    std::vector<model::Counts> samples_;
    std::uint32_t last_map_ = steady_maps;
    std::uint64_t put_in_ = 0, rows_ = 0;
};

}  // namespace

AggregationFigures run_aggregation(const std::string& name, std::uint64_t intervals, std::uint64_t intervals_a_map) {
    AggregationFigures figures{name, 0, {}, 0};
    const double heap_before = heap_mib();
    Run run;
    std::uint64_t interval = 0;
    for (std::uint64_t stretch = 1; stretch <= stretches; ++stretch) {
        const std::uint64_t end = intervals * stretch / stretches, begin = interval;
        const double start = thread_cpu_ns();
        for (; interval < end; ++interval) run.step(interval, intervals_a_map);
        figures.stretches.push_back(
            {end, (thread_cpu_ns() - start) / static_cast<double>(end - begin), heap_mib() - heap_before});
    }
    figures.maps_seen = run.maps_seen();
    figures.totals_ms = run.totals_ms();
    return figures;
}

}  // namespace mapaudit::bench
