// SPDX-License-Identifier: Apache-2.0
#include "scale_points.hpp"

#include <fmt/format.h>

namespace mapaudit::bench {
namespace {

constexpr std::uint64_t some_rate = 200'000, few_maps = 100, many_maps = 10'000;

ScalePoint point(std::uint64_t maps, unsigned threads, std::uint64_t rate) {
    return {maps, threads, rate, {"--top", "10"}, true};
}

}  // namespace

std::string rate_label(std::uint64_t rate) {
    if (rate == 0) return "unthrottled";
    if (rate % 1'000'000 == 0) return fmt::format("{}M", rate / 1'000'000);
    return rate % 1000 == 0 ? fmt::format("{}k", rate / 1000) : std::to_string(rate);
}

std::vector<ScaleSeries> all_series() {
    const auto over_maps = [](std::uint64_t rate) {
        return std::vector{point(1, 2, rate), point(few_maps, 2, rate), point(many_maps, 2, rate)};
    };
    const auto over_threads = [](std::uint64_t rate) {
        return std::vector{point(1, 1, rate), point(1, 64, rate), point(1, 1000, rate)};
    };
    return {
        {Axis::maps, "maps, 2 threads, " + rate_label(some_rate) + " operations a second", over_maps(some_rate)},
        {Axis::maps, "maps, 2 threads, unthrottled", over_maps(0)},
        {Axis::threads, "threads, 1 map, " + rate_label(some_rate) + " operations a second", over_threads(some_rate)},
        {Axis::threads, "threads, 1 map, unthrottled", over_threads(0)},
        {Axis::rate,
         "rate, 1 map, 2 threads",
         {point(1, 2, 10'000), point(1, 2, 100'000), point(1, 2, 1'000'000), point(1, 2, 10'000'000), point(1, 2, 0)}},
    };
}

ScalePoint many_maps_point() { return point(many_maps, 2, some_rate); }

ScalePoint bounded_maps_point() {
    ScalePoint bounded = many_maps_point();
    bounded.options.insert(bounded.options.end(), {"--max-maps", std::to_string(few_maps)});
    return bounded;
}

ScalePoint as_many_maps_as_bounded_point() { return point(few_maps, 2, some_rate); }

}  // namespace mapaudit::bench
