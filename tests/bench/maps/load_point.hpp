// SPDX-License-Identifier: Apache-2.0
//
// One load of `make bench-maps`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mapaudit::bench {

enum class Distribution { uniform, zipf };
enum class KeyKind { integer, string };

struct Point {
    KeyKind kind;
    std::uint64_t keys;
    Distribution distribution;
    unsigned read_percent;  // look-ups; of the rest nine in ten assign and one erases
    unsigned threads;

    bool operator==(const Point&) const = default;
};

// "10k", "10M".
std::string keys_label(std::uint64_t keys);
// What the points of one table have in common: "10k integer keys, uniform, 2 threads".
std::string group_label(const Point& point);
// "10k/integer/uniform/2/90": in Google Benchmark's manner, for --benchmark_filter.
std::string point_name(const Point& point);

// What is measured without being asked for more · everything. Points of one size and kind of key stand together, and
// of those that share a filled map the ones that only read come first.
std::vector<Point> default_points();
std::vector<Point> all_points();

}  // namespace mapaudit::bench
