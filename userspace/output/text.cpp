// SPDX-License-Identifier: Apache-2.0
//
// Text from targets: decoded, made harmless, measured and cut to columns.
#include <algorithm>
#include <array>
#include <cstdio>

#include "output/format.hpp"

namespace mapaudit::output {

namespace {

struct Decoded {
    char32_t code = 0;
    std::size_t length = 1;  // bytes
    bool valid = false;
};

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// The first code point of a text that is not empty. Overlong forms, surrogates and what lies past U+10FFFF are invalid.
Decoded decode(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return {first, 1, true};
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
    char32_t code = first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return {};
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
    }
    static constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
    return {code, length, true};
}

struct Range {
    char32_t first, last;
};

template <std::size_t N>
bool any_holds(const std::array<Range, N>& ranges, char32_t code) {
    return std::any_of(ranges.begin(), ranges.end(), [&](Range r) { return code >= r.first && code <= r.last; });
}

// C0, DEL and C1 drive terminals; the rest reorders or hides the text around it.
constexpr std::array<Range, 10> harmful{{{0x00, 0x1f},
                                         {0x7f, 0x9f},
                                         {0xad, 0xad},
                                         {0x061c, 0x061c},
                                         {0x200b, 0x200f},
                                         {0x2028, 0x202e},
                                         {0x2060, 0x206f},
                                         {0xfeff, 0xfeff},
                                         {0xfff9, 0xfffb},
                                         {0xe0000, 0xe007f}}};
// East Asian wide and fullwidth, and emoji: near enough for aligning columns.
constexpr std::array<Range, 10> wide{{{0x1100, 0x115f},
                                      {0x2e80, 0x303e},
                                      {0x3041, 0xa4cf},
                                      {0xac00, 0xd7a3},
                                      {0xf900, 0xfaff},
                                      {0xfe30, 0xfe6f},
                                      {0xff00, 0xff60},
                                      {0xffe0, 0xffe6},
                                      {0x1f300, 0x1faff},
                                      {0x20000, 0x3fffd}}};
constexpr std::array<Range, 5> combining{
    {{0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}}};

std::size_t columns_of(char32_t code) {
    if (code < 0x300) return 1;
    if (any_holds(combining, code)) return 0;
    return any_holds(wide, code) ? 2 : 1;
}

// Bytes of the longest beginning of `text` that takes at most `width` columns.
std::size_t bytes_within(std::string_view text, std::size_t width) {
    std::size_t taken = 0, columns = 0;
    while (taken < text.size()) {
        const Decoded d = decode(text.substr(taken));
        columns += columns_of(d.code);
        if (columns > width) break;
        taken += d.length;
    }
    return taken;
}

std::string cut(std::string_view text, std::size_t width) {
    if (width == 0) return {};
    return std::string(text.substr(0, bytes_within(text, width - 1))) + "…";
}

}  // namespace

std::string escape(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const Decoded d = decode(text);
        if (!d.valid) {
            safe += "\xef\xbf\xbd";
        } else if (!any_holds(harmful, d.code)) {
            safe += text.substr(0, d.length);
        } else {
            for (const char byte : text.substr(0, d.length)) {
                std::array<char, 5> hex{};
                std::snprintf(hex.data(), hex.size(), "\\x%02x",
                              static_cast<unsigned>(static_cast<unsigned char>(byte)));
                safe += hex.data();
            }
        }
        text.remove_prefix(d.length);
    }
    return safe;
}

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Decoded d = decode(text);
        columns += columns_of(d.code);
        text.remove_prefix(d.length);
    }
    return columns;
}

std::string fit_left(std::string_view text, std::size_t width) {
    std::string fitted = display_width(text) > width ? cut(text, width) : std::string(text);
    return fitted.append(width - display_width(fitted), ' ');
}

std::string fit_right(std::string_view text, std::size_t width) {
    const std::string fitted = display_width(text) > width ? cut(text, width) : std::string(text);
    return std::string(width - display_width(fitted), ' ') + fitted;
}

}  // namespace mapaudit::output
