// SPDX-License-Identifier: Apache-2.0
//
// The curves: what an audit adds to an operation over maps, threads and rate, and what an interval costs the auditor
// over a million of them.
#pragma once

#include <string>

#include "scale/scale_results.hpp"

namespace mapaudit::bench {

// An SVG file.
std::string scale_plot(const ScaleResults& results);

}  // namespace mapaudit::bench
