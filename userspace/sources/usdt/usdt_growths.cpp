// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_growths.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace mapaudit::sources {

void put_in_order(std::vector<GrowEvent>& growths) {
    std::map<std::pair<model::MapId, std::uint32_t>, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < growths.size(); ++i) places[{growths[i].map, growths[i].part}].push_back(i);
    for (const auto& [table, at] : places) {
        std::vector<GrowEvent> ordered;
        for (const std::size_t i : at) ordered.push_back(growths[i]);
        std::ranges::stable_sort(ordered, {}, &GrowEvent::number);
        for (std::size_t i = 0; i < at.size(); ++i) growths[at[i]] = ordered[i];
    }
}

}  // namespace mapaudit::sources
