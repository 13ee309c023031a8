// SPDX-License-Identifier: Apache-2.0
//
// Which maps have rows of their own. A target may make maps without end: those beyond the bound share "(other)".
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include "model/map.hpp"

namespace mapaudit::sources {

// Not thread safe.
class UsdtAdmission {
public:
    explicit UsdtAdmission(std::size_t most) : most_(most) {}

    std::size_t most() const noexcept { return most_; }
    // The map itself while there is room for it, else model::other_maps.
    std::uint32_t admit(std::uint32_t domain, std::uint32_t map) {
        if (map == model::other_maps || has(domain, map)) return map;
        if (admitted_.size() >= most_) return model::other_maps;
        note(domain, map);
        return map;
    }
    // The kernel has given it a cell, and keeps to the bound itself.
    void note(std::uint32_t domain, std::uint32_t map) { admitted_.insert({domain, map}); }
    bool has(std::uint32_t domain, std::uint32_t map) const { return admitted_.contains({domain, map}); }

private:
    std::size_t most_;
    std::set<std::pair<std::uint32_t, std::uint32_t>> admitted_;  // domain, id
};

}  // namespace mapaudit::sources
