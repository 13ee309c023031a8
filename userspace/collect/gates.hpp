// SPDX-License-Identifier: Apache-2.0
//
// What must not have happened for an audit to succeed: for CI. Pure.
#pragma once

#include <cstdint>

#include "model/report.hpp"

namespace mapaudit::collect {

// Which of them were asked for.
struct Gates {
    bool loss = false, conflict = false;
};

// How often each happened in the whole run, asked for or not.
struct Breaches {
    std::uint64_t lost = 0, conflicts = 0;
};
Breaches breaches_in(const model::Report& total);

// The exit code of an audit that went well: 0, or that of Failure::gate where a gate did not hold.
int exit_code(const Gates& gates, const Breaches& breaches);

}  // namespace mapaudit::collect
