// SPDX-License-Identifier: Apache-2.0
//
// "Where the CPU went": the summary's section on CPU samples and time off the CPU, by map.
#pragma once

#include <string>

#include "model/report.hpp"
#include "output/view.hpp"

namespace mapaudit::output {

// Ends with a line break; empty where nothing was sampled.
std::string blame_text(const model::Report& total, const MapFilter& filter = {});

// "1234 samples: 900 in maps, 330 elsewhere, 4 not known, 0 lost", and a shout where that does not add up.
std::string samples_line(const model::ProcessBlame& process);

}  // namespace mapaudit::output
