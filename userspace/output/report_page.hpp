// SPDX-License-Identifier: Apache-2.0
//
// A recorded audit as one HTML page that needs nothing beside itself: no network, no scripts (but a flame graph's own).
#pragma once

#include <string>

#include "output/csv_recording.hpp"

namespace mapaudit::output {

// The parts of the page, each a piece of HTML.
std::string totals_html(const Recording& recording);
std::string charts_html(const Recording& recording);
std::string growth_html(const Recording& recording);
// "observed N times" by map and operation, or "none in N operations".
std::string conflicts_html(const Recording& recording);

// `name` is the CSV's, for the heading; `flame` is an SVG element, or empty.
std::string report_page(const Recording& recording, const std::string& name, const std::string& flame);

}  // namespace mapaudit::output
