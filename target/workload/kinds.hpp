// SPDX-License-Identifier: Apache-2.0
//
// The map kinds that can be driven.
#pragma once

#include <span>
#include <string_view>
#include <variant>

#include "outcome.hpp"
#include "workload_options.hpp"

namespace mapaudit::workload {

struct Kind {
    std::string_view name;
    bool concurrent;         // may be used from several threads at once
    bool detects_conflicts;  // takes a conflict policy
    std::variant<Outcome, Failure> (*run)(const Options& options);
};

std::span<const Kind> all_kinds();
const Kind* find_kind(std::string_view name);  // null when there is none

}  // namespace mapaudit::workload
