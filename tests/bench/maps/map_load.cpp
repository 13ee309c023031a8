// SPDX-License-Identifier: Apache-2.0
#include "maps/map_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "distributions.hpp"

namespace mapaudit::bench {
namespace {

constexpr std::uint64_t least_steps = 1 << 16, most_steps = 1 << 23;
constexpr double erase_share = 0.1;  // of what does not read

}  // namespace

Keys::Keys(KeyKind of, std::uint64_t many) : kind(of), count(many) {
    if (kind == KeyKind::string)
        for (std::uint64_t i = 0; i < count; ++i) strings.push_back(fmt::format("session-{:016x}", scattered(i)));
}

std::vector<MapStep> draw_steps(const Point& point, const Keys& keys) {
    workload::Random random(1, point.read_percent);
    std::optional<workload::Zipf> zipf;
    if (point.distribution == Distribution::zipf) zipf.emplace(keys.count);
    std::vector<MapStep> steps(std::clamp(8 * keys.count, least_steps, most_steps));
    for (MapStep& step : steps) {
        const std::uint64_t index = zipf ? (*zipf)(random) : random.below(keys.count);
        MapOp op = MapOp::lookup;
        if (random.below(100) >= point.read_percent) op = random.unit() < erase_share ? MapOp::erase : MapOp::assign;
        step = static_cast<std::uint64_t>(op) << identity_bits | keys.identity(index);
    }
    return steps;
}

}  // namespace mapaudit::bench
