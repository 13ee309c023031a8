// SPDX-License-Identifier: Apache-2.0
//
// Which map is meant, and what is known of it: the one identity and the one description that rows, evidence, blame,
// advice and verdicts refer to.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "model/source_traits.hpp"

namespace mapaudit::model {

// The id of no map: of what is counted for all maps together that have no row of their own.
inline constexpr std::uint32_t other_maps = 0;

// A map instance. `domain` tells apart what gives ids to maps in one process: registries of the map library (one,
// nearly always: 0), and a source that numbers maps by itself.
struct MapId {
    int pid = 0;
    std::uint32_t domain = 0;
    std::uint32_t id = 0;
    auto operator<=>(const MapId&) const = default;
};

// What outputs say of a map. Never changed once made: copies of a MapRef share it.
struct MapDescription {
    MapId id;
    // The map's number in outputs, its process's only one: `id` in the process's first domain, and
    // domain_number(…) in the others.
    std::uint64_t number = 0;
    const SourceTraits* source = &unknown_source;  // outlives every row
    std::string name{}, kind{};                    // as the target gave them: escape before printing
    bool checked = false;                          // it looks for concurrent access that it does not allow
};

// `ordinal` counts the domains of one process, from 0.
constexpr std::uint64_t domain_number(std::uint32_t ordinal, std::uint32_t id) {
    return std::uint64_t{ordinal} << 32 | id;
}

// A description that is shared; never null. Copies may be used in several threads at once.
class MapRef {
public:
    MapRef() = default;
    MapRef(MapDescription description) : shared_(std::make_shared<const MapDescription>(std::move(description))) {}

    const MapDescription& operator*() const { return shared_ != nullptr ? *shared_ : none(); }
    const MapDescription* operator->() const { return &**this; }

private:
    static const MapDescription& none() {
        static const MapDescription nothing;
        return nothing;
    }
    std::shared_ptr<const MapDescription> shared_;
};

// What a source tells of a map. The latest figures win; a destroyed map keeps its last ones.
struct MapInfo {
    const SourceTraits* source = nullptr;  // null: as before
    std::string name, kind;                // empty: as before
    std::optional<std::uint64_t> size, buckets, overflow;
    bool alive = true;
    bool checked = false;
};

}  // namespace mapaudit::model
