// SPDX-License-Identifier: Apache-2.0
//
// Numbers and untrusted text as every output writes them. Independent of the locale; text is UTF-8.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mapaudit::output {

// Makes text from a target safe for a terminal and a file: control characters, and the invisible ones that reorder or
// hide text, become \xNN a byte; bytes that are not UTF-8 become U+FFFD. A backslash stays as it is.
std::string escape(std::string_view text);

// Columns that `text` (escaped: no control characters) takes on a terminal.
std::size_t display_width(std::string_view text);
// Exactly `width` columns: padded with blanks, or cut with an ellipsis.
std::string fit_left(std::string_view text, std::size_t width);
std::string fit_right(std::string_view text, std::size_t width);

// Three significant digits: "38.5ns", "1.23µs", "412ms", "12.3s".
std::string duration(double ns);
// "812", "45.6k", "1.23M".
std::string rate(double per_s);
// Exact up to seven digits, then as a rate.
std::string count(std::uint64_t n);
// "1 map", "3 maps".
std::string counted(std::uint64_t n, std::string_view one, std::string_view many);
// "512 B", "3.81 MiB".
std::string bytes(std::uint64_t n);
// "1.2 %".
std::string percent(double value);
// "00:01:23"; the days are in the hours.
std::string elapsed(double seconds);

// "2026-01-02T03:04:05.678Z"
std::string rfc3339_ms(std::chrono::system_clock::time_point time);
// "03:04:05Z"
std::string clock_utc(std::chrono::system_clock::time_point time);

// At most `decimals` (up to 4) after the point and no trailing zeros; nothing at all where the value is no number.
void append_number(std::string& out, double value, int decimals);
void append_number(std::string& out, std::uint64_t value);

}  // namespace mapaudit::output
