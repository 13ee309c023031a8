// SPDX-License-Identifier: Apache-2.0
#include "output/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "output/format.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The lines between bars, so that trailing blanks show.
std::string drawn(const Frame& frame) {
    std::string text;
    for (const Line& line : frame.lines) text += "|" + line.text + "|\n";
    return text;
}

model::Report many_rows(std::uint32_t n) {
    model::Report report = sample_report();
    report.rows.clear();
    for (std::uint32_t i = 0; i < n; ++i)
        report.rows.push_back(sample_row(i + 1, "m" + std::to_string(i), model::Op::lookup, n - i));
    return report;
}

TEST(Layout, golden_at_120_columns) {
    // clang-format off
    EXPECT_EQ(drawn(layout(sample_report(), {}, {}, 120, 11)),
R"(|mapaudit  pid 4242 (work\x1b[2Jer, full)  00:01:23  3 maps  by trouble                                                  |
|users: concurrent access where none is allowed, 2 times                                                                 |
|MAP(kind)              OP     CALLS/s    P50    P90    P99  P99.9    MAX WAIT%  CPU%    SIZE BUCKETS  BKTS/s  LOAD GROWS|
|users(go_map)          assign    500k  123ns  247ns 1.23µs 12.3µs 1.52ms  20.0  12.3    1000     256      96  3.91     3|
|users(go_map)          lookup   6.17M 38.5ns 77.0ns  385ns 3.85µs  475µs   0.0  50.0    1000     256      96  3.91     3|
|users(go_map)          grow      1.50 50.0µs  100µs  500µs 5.00ms  617ms   0.0   0.0    1000     256      96  3.91     3|
|a,"b"\x0a\x1b[31m)" "\ufffd" R"(\xe… erase       21 7.00ns 14.0ns 70.0ns  700ns 86.4µs   0.0     -    1000     256       0  3.91     0|
|#2(go_map)             lookup       0      -      -      -      -      -     -     -       -       -       0     -     0|
|                                                                                                                        |
|1000003 fired = 1000000 handled + 3 lost (2 ring full, 1 unreadable memory)                                             |
|? help   mapaudit itself: 1.2 % of a core, 24.0 MiB + 3.50 MiB in the kernel                                            |
)");
    // clang-format on
}

TEST(Layout, golden_at_80_columns) {
    // clang-format off
    EXPECT_EQ(drawn(layout(sample_report(), {}, {}, 80, 11)),
R"(|mapaudit  pid 4242 (work\x1b[2Jer, full)  00:01:23  3 maps  by trouble          |
|users: concurrent access where none is allowed, 2 times                         |
|MAP(kind)          OP     CALLS/s    P50    P99    MAX WAIT%  CPU% BUCKETS GROWS|
|users(go_map)      assign    500k  123ns 1.23µs 1.52ms  20.0  12.3     256     3|
|users(go_map)      lookup   6.17M 38.5ns  385ns  475µs   0.0  50.0     256     3|
|users(go_map)      grow      1.50 50.0µs  500µs  617ms   0.0   0.0     256     3|
|a,"b"\x0a\x1b[31m… erase       21 7.00ns 70.0ns 86.4µs   0.0     -     256     0|
|#2(go_map)         lookup       0      -      -      -     -     -       -     0|
|                                                                                |
|1000003 fired = 1000000 handled + 3 lost (2 ring full, 1 unreadable memory)     |
|? help   mapaudit itself: 1.2 % of a core, 24.0 MiB + 3.50 MiB in the kernel    |
)");
    // clang-format on
}

TEST(Layout, what_is_wrong_stands_above_the_table_where_there_is_room) {
    EXPECT_EQ(layout(sample_report(), {}, {}, 120, 7).lines[1].ink, Ink::warning);
    EXPECT_THAT(layout(sample_report(), {}, {}, 120, 7).lines[1].text, StartsWith("users: concurrent access"));
    EXPECT_THAT(layout(sample_report(), {}, {}, 120, 6).lines[1].text, StartsWith("MAP(kind)"));
    model::Report calm = sample_report();
    for (model::Row& row : calm.rows) row.conflicts = 0;
    EXPECT_EQ(layout(calm, {}, {}, 120, 7).lines[1].ink, Ink::plain);
}

TEST(Layout, narrower_by_one_goes_without_the_bucket_rate) {
    const auto header = [](std::size_t width) { return layout(sample_report(), {}, {}, width, 10).lines[2].text; };
    // clang-format off
    EXPECT_EQ(header(100), "MAP(kind)        OP     CALLS/s    P50    P99    MAX WAIT%  CPU%    SIZE BUCKETS  BKTS/s  LOAD GROWS");
    EXPECT_EQ(header(99), "MAP(kind)               OP     CALLS/s    P50    P99    MAX WAIT%  CPU%    SIZE BUCKETS  LOAD GROWS");
    // clang-format on
}

TEST(Layout, fits_every_size) {
    model::Report report = sample_report();
    test::rename(report.rows[1], "名前名前名前名前名前名前名前名前");
    for (const bool who : {false, true}) {
        View view;
        view.per_cpu = who;
        for (std::size_t width = 1; width <= 200; ++width) {
            for (const std::size_t height : {1u, 2u, 3u, 5u, 6u, 7u, 24u}) {
                const Frame frame = layout(report, view, {}, width, height);
                ASSERT_LE(frame.lines.size(), height);
                for (const Line& line : frame.lines) ASSERT_EQ(display_width(line.text), width) << line.text;
            }
        }
    }
}

TEST(Layout, no_room_is_no_lines) { EXPECT_TRUE(layout(sample_report(), {}, {}, 80, 0).lines.empty()); }

TEST(Layout, scrolls_to_the_last_row_and_no_further) {
    const model::Report report = many_rows(31);
    const Frame top = layout(report, {}, {}, 120, 15);
    EXPECT_EQ(top.page, 10u);
    EXPECT_EQ(top.last_scroll, 21u);
    EXPECT_THAT(top.lines[0].text, HasSubstr("rows 1-10 of 31"));
    EXPECT_THAT(top.lines[3].text, StartsWith("m0(go_map)"));
    ScreenState state;
    state.scroll = 1000;
    const Frame bottom = layout(report, {}, state, 120, 15);
    EXPECT_THAT(bottom.lines[0].text, HasSubstr("rows 22-31 of 31"));
    EXPECT_THAT(bottom.lines[3].text, StartsWith("m21(go_map)"));
    EXPECT_THAT(bottom.lines[12].text, StartsWith("m30(go_map)"));
}

TEST(Layout, shows_pause_help_and_loss) {
    ScreenState state;
    state.paused = state.help = true;
    const Frame frame = layout(sample_report(), {}, state, 120, 10);
    EXPECT_THAT(frame.lines[0].text, StartsWith("PAUSED  mapaudit"));
    EXPECT_THAT(frame.lines[9].text, StartsWith("q quit   s next sort column"));
    EXPECT_EQ(frame.lines[8].ink, Ink::warning);
    model::Report well = sample_report();
    well.ledger = {5, 5, {}};
    EXPECT_EQ(layout(well, {}, state, 120, 10).lines[8].ink, Ink::plain);
}

TEST(Layout, an_empty_table_says_why) {
    EXPECT_THAT(layout(many_rows(0), {}, {}, 80, 10).lines[3].text, StartsWith("3 maps known, no operation seen yet"));
}

}  // namespace
}  // namespace mapaudit::output
