// SPDX-License-Identifier: Apache-2.0
#include "scale/points.hpp"

#include <fmt/format.h>

namespace mapaudit::bench {
namespace {

// Over maps the number of keys is the same, and beyond any cache: what changes is the number of maps, not how often the
// load itself waits for memory. Elsewhere all is in the cache, where an audit's own cost shows best.
constexpr std::uint64_t few_keys = 1024, many_keys = 160'000;
constexpr std::uint64_t some_rate = 200'000, few_maps = 100, many_maps = 10'000;

ScalePoint of_maps(std::uint64_t maps, std::uint64_t rate) {
    return {maps, 2, rate, many_keys, true, {"--top", "10"}, true};
}

ScalePoint of_threads(unsigned threads, std::uint64_t rate) {
    return {1, threads, rate, few_keys, true, {"--top", "10"}, true};
}

}  // namespace

std::string rate_label(std::uint64_t rate) {
    if (rate == 0) return "unthrottled";
    if (rate % 1'000'000 == 0) return fmt::format("{}M", rate / 1'000'000);
    return rate % 1000 == 0 ? fmt::format("{}k", rate / 1000) : std::to_string(rate);
}

std::vector<ScaleSeries> all_series() {
    const auto over_maps = [](std::uint64_t rate) {
        return std::vector{of_maps(1, rate), of_maps(few_maps, rate), of_maps(many_maps, rate)};
    };
    const auto over_threads = [](std::uint64_t rate) {
        return std::vector{of_threads(1, rate), of_threads(64, rate), of_threads(1000, rate)};
    };
    std::vector<ScalePoint> over_rates;
    for (const std::uint64_t rate : {10'000, 100'000, 1'000'000, 10'000'000, 0})
        over_rates.push_back(of_threads(2, rate));
    const std::string a_second = rate_label(some_rate) + " operations a second";
    return {
        {Axis::maps, "maps, 2 threads, " + a_second, over_maps(some_rate)},
        {Axis::maps, "maps, 2 threads, unthrottled", over_maps(0)},
        {Axis::threads, "threads, 1 map, " + a_second, over_threads(some_rate)},
        {Axis::threads, "threads, 1 map, unthrottled", over_threads(0)},
        {Axis::rate, "rate, 1 map, 2 threads", over_rates},
    };
}

std::vector<ScalePoint> other_points() {
    std::vector<ScalePoint> points{many_maps_point(), bounded_maps_point(), of_maps(1, 0), of_maps(many_maps, 0)};
    points[0].csv = false;
    points[2].chained = points[3].chained = false;
    return points;
}

ScalePoint many_maps_point() { return of_maps(many_maps, some_rate); }

ScalePoint bounded_maps_point() {
    ScalePoint bounded = many_maps_point();
    bounded.options.insert(bounded.options.end(), {"--max-maps", std::to_string(few_maps)});
    return bounded;
}

ScalePoint as_many_maps_as_bounded_point() { return of_maps(few_maps, some_rate); }

}  // namespace mapaudit::bench
