// SPDX-License-Identifier: Apache-2.0
//
// What the verdicts on Go maps rest on: what grew them, and what the runtime ended a program for. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "model/evidence.hpp"

namespace mapaudit::sources {

// The conflict that a fatal error's message tells of; nothing: it is about something else.
std::optional<mapaudit_conflict> conflict_of(std::string_view message);

// A place that grew a map.
struct GoPlace {
    std::uint32_t process = 0, map = 0;
    std::uint64_t caller = 0;
    auto operator<=>(const GoPlace&) const = default;
};

// Not thread safe. Holds 16,384 rows of growths, as many of callers and 256 conflicts at most, however many there are.
class GoEvidence {
public:
    struct Times {
        std::uint64_t count = 0, first_ns = 0, last_ns = 0;
    };
    void grew(const GoPlace& place, mapaudit_grow_reason reason, const Times& times);
    void called(const GoPlace& place, mapaudit_op op, std::uint64_t count);
    void raced(model::Evidence row);
    // Growths, calls and conflicts that found no room.
    std::uint64_t dropped() const { return dropped_; }
    // `locate` fills in the map and the stack.
    std::vector<model::Evidence> rows(const std::function<void(const GoPlace&, model::Evidence&)>& locate) const;

private:
    std::map<std::pair<GoPlace, mapaudit_grow_reason>, Times> growths_;
    std::map<std::pair<GoPlace, mapaudit_op>, std::uint64_t> calls_;
    std::vector<model::Evidence> conflicts_;
    std::uint64_t dropped_ = 0;
};

}  // namespace mapaudit::sources
