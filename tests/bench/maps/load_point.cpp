// SPDX-License-Identifier: Apache-2.0
#include "maps/load_point.hpp"

#include <fmt/format.h>

namespace mapaudit::bench {
namespace {

constexpr std::uint64_t few = 10'000, many = 10'000'000;

const char* label(Distribution distribution) { return distribution == Distribution::zipf ? "Zipf 0.99" : "uniform"; }
const char* label(KeyKind kind) { return kind == KeyKind::string ? "string" : "integer"; }

struct Series {
    KeyKind kind;
    std::uint64_t keys;
    Distribution distribution;
    unsigned threads;
    std::vector<unsigned> read_percents;
};

std::vector<Point> points_of(const std::vector<Series>& all) {
    std::vector<Point> points;
    for (const Series& series : all)
        for (const unsigned read_percent : series.read_percents)
            points.push_back({series.kind, series.keys, series.distribution, read_percent, series.threads});
    return points;
}

}  // namespace

std::string keys_label(std::uint64_t keys) {
    if (keys % 1'000'000 == 0) return fmt::format("{}M", keys / 1'000'000);
    return keys % 1'000 == 0 ? fmt::format("{}k", keys / 1'000) : std::to_string(keys);
}

std::string group_label(const Point& point) {
    return fmt::format("{} {} keys, {}, {} thread{}", keys_label(point.keys), label(point.kind),
                       label(point.distribution), point.threads, point.threads == 1 ? "" : "s");
}

std::string point_name(const Point& point) {
    return fmt::format("{}/{}/{}/{}/{}", keys_label(point.keys), label(point.kind),
                       point.distribution == Distribution::zipf ? "zipf" : "uniform", point.threads,
                       point.read_percent);
}

// Every read share where threads really run at once here (two); beyond, what oversubscription changes.
std::vector<Point> default_points() {
    using enum Distribution;
    using enum KeyKind;
    return points_of({
        {integer, few, uniform, 1, {100, 90, 50}},
        {integer, few, zipf, 1, {100}},
        {integer, few, uniform, 2, {100, 99, 95, 90, 50}},
        {integer, few, zipf, 2, {100, 90, 50}},
        {integer, few, uniform, 8, {95, 50}},
        {integer, few, uniform, 32, {95}},
        {integer, few, uniform, 128, {95, 50}},
        {string, few, uniform, 2, {95}},
        {integer, many, uniform, 1, {100}},
        {integer, many, uniform, 2, {100, 95, 50}},
        {integer, many, zipf, 2, {95}},
    });
}

std::vector<Point> all_points() {
    using enum Distribution;
    using enum KeyKind;
    std::vector<Series> all;
    for (const std::uint64_t keys : {few, many})
        for (const Distribution distribution : {uniform, zipf})
            for (const unsigned threads : {1u, 2u, 8u, 32u, 128u})
                all.push_back({integer, keys, distribution, threads, {100, 99, 95, 90, 50}});
    for (const unsigned threads : {1u, 2u, 8u, 32u, 128u})
        all.insert(all.begin(), {string, few, uniform, threads, {100, 99, 95, 90, 50}});
    return points_of(all);
}

}  // namespace mapaudit::bench
