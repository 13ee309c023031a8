// SPDX-License-Identifier: Apache-2.0
//
// The one line above every table: what is wrong now, or that nothing is.
#pragma once

#include <string>

#include "model/headline.hpp"
#include "output/view.hpp"

namespace mapaudit::output {

struct HeadlineLine {
    std::string text;      // escaped
    bool trouble = false;  // it names a finding
};

// Of the maps that the view shows: "sessions: 79 % of look-ups' time is waiting for its lock, held in expire_all";
// "nothing wrong was seen in 12.3M calls", or why there is nothing to judge. A total is told in the past.
HeadlineLine headline_line(const model::Report& report, const View& view);

}  // namespace mapaudit::output
