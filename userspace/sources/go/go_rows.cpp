// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_rows.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace mapaudit::sources {
namespace {

class Groups {
public:
    GoRows& of(std::uint32_t process, std::uint64_t map, std::uint32_t seed, const GoObservation& first,
               std::uint64_t first_ns) {
        const auto [place, made] = places_.try_emplace({process, map, seed}, groups_.size());
        if (made) groups_.push_back({process, first_ns, 0, first, {}, {}});
        GoRows& group = groups_[place->second];
        if (group.observation.type == 0) group.observation.type = first.type;
        if (first_ns < group.first_ns) {
            group.first_ns = first_ns;
            group.observation.caller = first.caller;
        }
        group.observation.log2_before = std::min(group.observation.log2_before, first.log2_before);
        group.observation.log2_after = std::max(group.observation.log2_after, first.log2_after);
        return group;
    }
    std::vector<GoRows> take() {
        std::stable_sort(groups_.begin(), groups_.end(),
                         [](const GoRows& a, const GoRows& b) { return a.first_ns < b.first_ns; });
        return std::move(groups_);
    }

private:
    std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint32_t>, std::size_t> places_;
    std::vector<GoRows> groups_;
};

// The row that was written to last knows the size best.
void take_size(GoRows& group, std::uint64_t size, std::uint64_t last_ns) {
    if (last_ns >= group.last_ns) group.observation.size = size;
    group.last_ns = std::max(group.last_ns, last_ns);
}

}  // namespace

std::vector<GoRows> by_map(const std::vector<GoGrowth>& growths, const std::vector<GoCalls>& calls) {
    Groups groups;
    for (const GoGrowth& row : growths) {
        const auto& [key, value] = row;
        GoRows& group =
            groups.of(key.process, key.map, key.seed,
                      {key.map, value.type, key.caller, key.seed, value.first_log2, value.last_log2, value.size, 0},
                      value.first_ns);
        group.observation.added += value.buckets_added;
        take_size(group, value.size, value.last_ns);
        group.growths.push_back(&row);
    }
    for (const GoCalls& row : calls) {
        const auto& [key, value] = row;
        if (key.map == 0) continue;
        const std::uint64_t caller = (key.op & WIRE_GO_TIMES) != 0 ? 0 : key.from;
        GoRows& group =
            groups.of(key.process, key.map, key.seed,
                      {key.map, value.type, caller, key.seed, value.log2, value.log2, value.size, 0}, value.first_ns);
        if (group.observation.caller == 0) group.observation.caller = caller;
        if ((key.op & WIRE_GO_TIMES) == 0) take_size(group, value.size, value.first_ns);
        group.calls.push_back(&row);
    }
    return groups.take();
}

}  // namespace mapaudit::sources
