// SPDX-License-Identifier: Apache-2.0
//
// What the usdt source calls things: programs linked with the map library.
#pragma once

#include <array>
#include <string_view>

#include "model/source_traits.hpp"

namespace mapaudit::sources {

inline constexpr std::array<std::string_view, 2> usdt_library{"mapaudit::", "mapaudit_probe_"};
// The workload driver shares the library's namespace and is a caller like any other.
inline constexpr std::array<std::string_view, 1> usdt_callers{"mapaudit::workload::"};
// Lock guards, std::function and the like; and the driver's loop, the same in every kind of map.
inline constexpr std::array<std::string_view, 4> usdt_between{
    "std::", "mapaudit::workload::execute<", "mapaudit::workload::work<", "mapaudit::workload::drive<"};

inline constexpr model::SourceTraits usdt_traits{
    .name = "usdt",
    .lock_advice = "put a lock round it, or use a kind that has one",
    .library = usdt_library,
    .callers = usdt_callers,
    .between = usdt_between,
};

}  // namespace mapaudit::sources
