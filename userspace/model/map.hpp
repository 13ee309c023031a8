// SPDX-License-Identifier: Apache-2.0
//
// Which map is meant, and what is known of it: the one identity and the one description that rows, evidence, blame and
// advice refer to.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace mapaudit::model {

// The id of no map: of what is counted for all maps together that have no row of their own.
inline constexpr std::uint32_t other_maps = 0;

// A map instance. `domain` tells apart the registries of one process (one, nearly always: 0).
struct MapId {
    int pid = 0;
    std::uint32_t domain = 0;
    std::uint32_t id = 0;
    auto operator<=>(const MapId&) const = default;
};

// What is known of a map besides its operations. The latest figures win; a destroyed map keeps its last ones.
struct MapInfo {
    std::string source;
    std::string name, kind;
    std::optional<std::uint64_t> size, buckets, overflow;
    bool alive = true;
    bool checked = false;  // it looks for concurrent access that it does not allow
};

}  // namespace mapaudit::model
