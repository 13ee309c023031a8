// SPDX-License-Identifier: Apache-2.0
//
// Which loads are measured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scale/scale_point.hpp"

namespace mapaudit::bench {

enum class Axis { maps, threads, rate };

// Points that differ in one thing; the first is what the others are held against.
struct ScaleSeries {
    Axis axis;
    std::string name;
    std::vector<ScalePoint> points;
};

std::vector<ScaleSeries> all_series();
std::vector<ScalePoint> other_points();  // those of no series

// The points of particular interest.
ScalePoint many_maps_point();
ScalePoint bounded_maps_point();  // the same with --max-maps
ScalePoint as_many_maps_as_bounded_point();

// "10k", "1M", "unthrottled".
std::string rate_label(std::uint64_t rate);

}  // namespace mapaudit::bench
