// SPDX-License-Identifier: Apache-2.0
//
// What evidence and advice call maps, functions and figures.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/function_name.hpp"
#include "model/report.hpp"
#include "output/folded.hpp"
#include "output/format.hpp"
#include "output/row_table.hpp"

namespace mapaudit::output {

// Evidence and advice name a map as rows do.
template <class About>
std::string label(const About& about, const model::Report& total) {
    return map_label(*about.map, total.targets.size() > 1);
}

inline std::string name_of(const model::Frame& frame) {
    return frame.function.empty() ? frame_name(frame) : escape(model::brief_function(frame.function));
}

inline std::string source_line(const model::Frame& frame) {
    if (frame.file.empty()) return {};
    const std::size_t slash = frame.file.rfind('/');
    const std::string name = escape(slash == std::string::npos ? frame.file : frame.file.substr(slash + 1));
    return frame.line == 0 ? fmt::format(" ({})", name) : fmt::format(" ({}:{})", name, frame.line);
}

inline std::string ns(double value) { return duration(value); }
inline std::string ns(std::uint64_t value) { return duration(static_cast<double>(value)); }

inline std::string and_more(std::size_t all, std::size_t shown, std::string_view what) {
    return all > shown ? fmt::format("  ... and {} more {}\n", all - shown, what) : std::string();
}

inline std::string percent_of(double share) { return percent(100 * share); }

}  // namespace mapaudit::output
