// SPDX-License-Identifier: Apache-2.0
#include "output/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <iterator>

namespace mapaudit::output {

namespace {

std::string three_digits(double value) {
    if (value < 9.995) return fmt::format("{:.2f}", value);
    if (value < 99.95) return fmt::format("{:.1f}", value);
    return fmt::format("{:.0f}", value);
}

struct Unit {
    double size;
    std::string_view name;
};

// The first unit in which the value still has three digits once rounded, or the largest.
template <std::size_t N>
std::string in_unit(double value, const std::array<Unit, N>& units, double step) {
    for (const Unit& unit : units) {
        const double scaled = value / unit.size;
        if (scaled < step - 0.5 || &unit == &units.back()) return three_digits(scaled) + std::string(unit.name);
    }
    return {};
}

constexpr std::array<Unit, 4> time_units{{{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}}};
constexpr std::array<Unit, 5> decimal_units{{{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}}};
constexpr std::array<Unit, 5> binary_units{
    {{1, " B"}, {1024.0, " KiB"}, {1048576.0, " MiB"}, {1073741824.0, " GiB"}, {1099511627776.0, " TiB"}}};

std::tm utc(std::chrono::system_clock::time_point time) {
    const std::time_t seconds =
        std::chrono::floor<std::chrono::seconds>(time).time_since_epoch() / std::chrono::seconds(1);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return parts;
}

}  // namespace

std::string duration(double ns) {
    if (!std::isfinite(ns) || ns < 0) return "-";
    if (ns == 0) return "0ns";
    return in_unit(ns, time_units, 1000);
}

std::string rate(double per_s) {
    if (!std::isfinite(per_s)) return "-";
    if (per_s < 0) return "-" + rate(-per_s);
    if (per_s < 1000 && per_s == std::floor(per_s)) return fmt::format("{:.0f}", per_s);
    return in_unit(per_s, decimal_units, 1000);
}

std::string count(std::uint64_t n) { return n < 10'000'000 ? fmt::format("{}", n) : rate(static_cast<double>(n)); }

std::string counted(std::uint64_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", n, n == 1 ? one : many);
}

std::string bytes(std::uint64_t n) {
    if (n < 1000) return fmt::format("{} B", n);
    return in_unit(static_cast<double>(n), binary_units, 1000);
}

std::string percent(double value) { return std::isfinite(value) ? fmt::format("{:.1f} %", value) : "-"; }

std::string elapsed(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) seconds = 0;
    const auto whole = static_cast<std::uint64_t>(std::min(seconds, 1e12));
    return fmt::format("{:02}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string rfc3339_ms(std::chrono::system_clock::time_point time) {
    const std::tm t = utc(time);
    const auto in_second = time - std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                       t.tm_hour, t.tm_min, t.tm_sec, in_second / std::chrono::milliseconds(1));
}

std::string clock_utc(std::chrono::system_clock::time_point time) {
    const std::tm t = utc(time);
    return fmt::format("{:02}:{:02}:{:02}Z", t.tm_hour, t.tm_min, t.tm_sec);
}

void append_number(std::string& out, std::uint64_t value) {
    const fmt::format_int digits(value);
    out.append(digits.data(), digits.size());
}

// Integer arithmetic where it reaches: a capture of many maps formats tens of thousands of these each interval.
void append_number(std::string& out, double value, int decimals) {
    static constexpr std::array<double, 5> scales{1, 10, 100, 1000, 10000};
    if (!std::isfinite(value)) return;
    const double scale = scales[static_cast<std::size_t>(std::clamp(decimals, 0, 4))];
    if (std::abs(value) * scale >= 9e15) {
        fmt::format_to(std::back_inserter(out), "{:.0f}", value);
        return;
    }
    const auto scaled = static_cast<std::uint64_t>(std::llround(std::abs(value) * scale));
    if (value < 0 && scaled != 0) out += '-';
    const auto divisor = static_cast<std::uint64_t>(scale);
    append_number(out, scaled / divisor);
    std::uint64_t rest = scaled % divisor;
    if (rest == 0) return;
    out += '.';
    for (std::uint64_t digit = divisor / 10; rest != 0; digit /= 10) {
        out += static_cast<char>('0' + rest / digit);
        rest %= digit;
    }
}

}  // namespace mapaudit::output
