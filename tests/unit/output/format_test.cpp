// SPDX-License-Identifier: Apache-2.0
#include "output/format.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <limits>

namespace mapaudit::output {
namespace {

using namespace std::chrono_literals;

std::string number(double value, int decimals) {
    std::string text;
    append_number(text, value, decimals);
    return text;
}

TEST(Format, durations_have_three_digits) {
    EXPECT_EQ(duration(0), "0ns");
    EXPECT_EQ(duration(0.384), "0.38ns");
    EXPECT_EQ(duration(7), "7.00ns");
    EXPECT_EQ(duration(9.996), "10.0ns");
    EXPECT_EQ(duration(38.5), "38.5ns");
    EXPECT_EQ(duration(99.96), "100ns");
    EXPECT_EQ(duration(999.4), "999ns");
    EXPECT_EQ(duration(999.5), "1.00µs");
    EXPECT_EQ(duration(1'234), "1.23µs");
    EXPECT_EQ(duration(999'499), "999µs");
    EXPECT_EQ(duration(999'500), "1.00ms");
    EXPECT_EQ(duration(45'600'000), "45.6ms");
    EXPECT_EQ(duration(12.3e9), "12.3s");
    EXPECT_EQ(duration(2'199e9), "2199s");
    EXPECT_EQ(duration(-1), "-");
    EXPECT_EQ(duration(std::nan("")), "-");
}

TEST(Format, rates_and_counts) {
    EXPECT_EQ(rate(0), "0");
    EXPECT_EQ(rate(0.5), "0.50");
    EXPECT_EQ(rate(5), "5");
    EXPECT_EQ(rate(999), "999");
    EXPECT_EQ(rate(999.7), "1.00k");
    EXPECT_EQ(rate(45'612), "45.6k");
    EXPECT_EQ(rate(1'230'000), "1.23M");
    EXPECT_EQ(rate(-2'000), "-2.00k");
    EXPECT_EQ(rate(5e15), "5000T");
    EXPECT_EQ(rate(std::numeric_limits<double>::infinity()), "-");
    EXPECT_EQ(count(0), "0");
    EXPECT_EQ(count(9'999'999), "9999999");
    EXPECT_EQ(count(12'345'678), "12.3M");
    EXPECT_EQ(bytes(0), "0 B");
    EXPECT_EQ(bytes(999), "999 B");
    EXPECT_EQ(bytes(1'024), "1.00 KiB");
    EXPECT_EQ(bytes(25'165'824), "24.0 MiB");
    EXPECT_EQ(percent(1.26), "1.3 %");
}

TEST(Format, times_are_utc) {
    const std::chrono::system_clock::time_point time(1'767'323'045'678ms);
    EXPECT_EQ(rfc3339_ms(time), "2026-01-02T03:04:05.678Z");
    EXPECT_EQ(rfc3339_ms(std::chrono::system_clock::time_point(-1ms)), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(clock_utc(time), "03:04:05Z");
    EXPECT_EQ(elapsed(83.9), "00:01:23");
    EXPECT_EQ(elapsed(100 * 3600), "100:00:00");
    EXPECT_EQ(elapsed(-1), "00:00:00");
}

TEST(Format, numbers_in_files_are_plain) {
    EXPECT_EQ(number(0, 1), "0");
    EXPECT_EQ(number(1.25, 1), "1.3");
    EXPECT_EQ(number(1.04, 1), "1");
    EXPECT_EQ(number(0.04, 1), "0");
    EXPECT_EQ(number(-0.04, 1), "0");
    EXPECT_EQ(number(-8.5, 2), "-8.5");
    EXPECT_EQ(number(3.90625, 4), "3.9063");
    EXPECT_EQ(number(0.0501, 4), "0.0501");
    EXPECT_EQ(number(1234567890.25, 2), "1234567890.25");
    EXPECT_EQ(number(12345.6, 0), "12346");
    EXPECT_EQ(number(1e18, 2), "1000000000000000000");
    EXPECT_EQ(number(std::nan(""), 2), "");
    EXPECT_EQ(number(std::numeric_limits<double>::infinity(), 2), "");
}

TEST(Format, text_from_a_target_cannot_drive_a_terminal) {
    EXPECT_EQ(escape("plain µ 名前 🦀"), "plain µ 名前 🦀");
    EXPECT_EQ(escape(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(escape("\x1b[31mred\x1b]0;title\a"), "\\x1b[31mred\\x1b]0;title\\x07");
    EXPECT_EQ(escape("a\r\nb\tc\x7f"), "a\\x0d\\x0ab\\x09c\\x7f");
    EXPECT_EQ(escape("\xc2\x9b"
                     "31m"),
              "\\xc2\\x9b31m");  // CSI as a C1 character
    EXPECT_EQ(escape("a\xe2\x80\xae"
                     "b"),
              "a\\xe2\\x80\\xaeb");  // right-to-left override
    EXPECT_EQ(escape("a\\x1b"), "a\\x1b");
}

TEST(Format, what_is_not_utf8_is_replaced) {
    EXPECT_EQ(escape("a\xff"
                     "b"),
              "a\ufffdb");
    EXPECT_EQ(escape("\x9b"
                     "31m"),
              "\ufffd31m");                         // CSI as a bare byte
    EXPECT_EQ(escape("\xc0\x9b"), "\ufffd\ufffd");  // overlong
    EXPECT_EQ(escape("\xe0\x80\x9b"), "\ufffd\ufffd\ufffd");
    EXPECT_EQ(escape("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");            // surrogate
    EXPECT_EQ(escape("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");  // past the last
    EXPECT_EQ(escape("x\xe2\x82"), "x\ufffd\ufffd");                    // cut short
    EXPECT_EQ(escape("\xc3\x1b[2J"), "\ufffd\\x1b[2J");                 // an escape hidden behind a lead byte
}

TEST(Format, every_two_bytes_come_out_harmless) {
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            const std::string safe = escape(std::string{static_cast<char>(a), static_cast<char>(b)});
            for (const char c : safe) {
                const auto byte = static_cast<unsigned char>(c);
                ASSERT_TRUE(byte >= 0x20 && byte != 0x7f) << a << ' ' << b;
            }
            ASSERT_EQ(safe.find("\xc2\x9b"), std::string::npos);
            ASSERT_EQ(escape(safe), safe) << a << ' ' << b;  // valid and harmless: nothing left to do
        }
    }
}

TEST(Format, text_is_fitted_to_columns) {
    EXPECT_EQ(display_width("名前é🦀"), 7u);
    EXPECT_EQ(display_width("e\xcc\x81"), 1u);  // with a combining accent
    EXPECT_EQ(fit_left("abc", 5), "abc  ");
    EXPECT_EQ(fit_right("abc", 5), "  abc");
    EXPECT_EQ(fit_left("abcdef", 4), "abc…");
    EXPECT_EQ(fit_left("abcdef", 1), "…");
    EXPECT_EQ(fit_left("abcdef", 0), "");
    EXPECT_EQ(fit_left("名前名前", 6), "名前… ");  // half of a wide character is no option
    EXPECT_EQ(fit_right("1.23µs", 7), " 1.23µs");
}

}  // namespace
}  // namespace mapaudit::output
