// SPDX-License-Identifier: Apache-2.0
#include "output/report_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "output/line_chart.hpp"
#include "output/markup.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::HasSubstr;
using testing::Not;

Recording sample() {
    Recording recording;
    recording.begin = "2026-01-02T03:04:05.678Z";
    recording.end = "2026-01-02T03:05:05.678Z";
    recording.seconds = 60;
    recording.ended = true;
    for (const model::Row& row : sample_report().rows)
        if (!row.cpu && !row.tid) recording.totals.push_back(row);
    for (int second = 1; second <= 3; ++second)
        for (const model::Row& row : recording.totals) recording.intervals.push_back({second * 1.0, row});
    return recording;
}

TEST(Markup, golden) { EXPECT_EQ(markup("<a href='x'>&\"\x1b\n"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\\x1b\\x0a"); }

TEST(LineChart, golden) {
    const Chart chart{"calls & co",
                      {{"users <1>", 9, {{1, 0, false}, {2, 10, false}, {3, 0, true}, {4, 5, false}}}},
                      4,
                      0,
                      [](double y) { return std::to_string(static_cast<int>(y)); }};
    const std::string svg = chart_svg(chart);
    EXPECT_THAT(svg,
                HasSubstr("<svg class=\"chart\" viewBox=\"0 0 560 220\" role=\"img\" aria-label=\"calls &amp; co\">"));
    EXPECT_THAT(svg, HasSubstr("<line class=\"grid\" x1=\"58.0\" y1=\"194.0\" x2=\"550.0\" y2=\"194.0\"/>"
                               "<text class=\"tick y\" x=\"52.0\" y=\"197.5\">0</text>\n"));
    EXPECT_THAT(svg, HasSubstr("<text class=\"tick y\" x=\"52.0\" y=\"13.5\">10</text>\n"));
    EXPECT_THAT(svg, HasSubstr("<text class=\"tick x\" x=\"550.0\" y=\"210.0\">4s</text>\n"));
    EXPECT_THAT(svg, HasSubstr("<g class=\"line s1\"><path d=\"M181.0 194.0L304.0 10.0M550.0 102.0\">"
                               "<title>users &lt;1&gt;</title></path>"));
    EXPECT_THAT(svg, HasSubstr("<title>users &lt;1&gt;: 10 at 2s</title>"));
}

TEST(LineChart, an_axis_with_marks_of_its_own) {
    Chart chart{"cost", {{"maps", 0, {{1, 5, false}, {3, 10, false}}}}, 4, 0, [](double) { return std::string("y"); }};
    chart.x_ticks = {{1, "<1>"}, {3, "100"}};
    const std::string svg = chart_svg(chart);
    EXPECT_THAT(svg, HasSubstr("<text class=\"tick x\" x=\"181.0\" y=\"210.0\">&lt;1&gt;</text>\n"
                               "<text class=\"tick x\" x=\"427.0\" y=\"210.0\">100</text>\n"));
    EXPECT_THAT(svg, HasSubstr("<title>maps: y at 100</title>"));
    EXPECT_THAT(svg, Not(HasSubstr("s</text>")));  // no seconds beside them
}

TEST(LineChart, steps_are_round) {
    EXPECT_DOUBLE_EQ(tick_step(10, 5), 2);
    EXPECT_DOUBLE_EQ(tick_step(11, 5), 5);
    EXPECT_DOUBLE_EQ(tick_step(0.07, 5), 0.02);
    EXPECT_DOUBLE_EQ(tick_step(0, 5), 1);
    EXPECT_DOUBLE_EQ(tick_step(-1, 0), 1);
}

TEST(LineChart, nothing_to_draw_and_very_much_to_draw) {
    EXPECT_EQ(chart_svg({"t", {{"a", 0, {{1, 0, true}}}}, 4, 0, nullptr}), "");
    Chart long_one{"t", {{"a", 0, {}}}, 0, 0, [](double) { return std::string("y"); }};
    for (int i = 0; i < 100'000; ++i) long_one.lines[0].points.push_back({i * 1.0, i == 77'777 ? 9.0 : 1.0, false});
    const std::string svg = chart_svg(long_one);
    EXPECT_LT(svg.size(), 20'000u);
    EXPECT_THAT(svg, HasSubstr(" 28.4"));  // the one peak: 9 of the axis' 10
}

TEST(ReportPage, totals) {
    const std::string html = totals_html(sample());
    EXPECT_THAT(html, HasSubstr("<tr><th scope=\"row\">users(go_map)</th><td class=\"op\">assign</td>"
                                "<td class=\"bar\" style=\"--part:8.1%\">1000003</td><td>500k</td><td>123ns</td>"
                                "<td>247ns</td><td>1.23µs</td><td>12.3µs</td><td>1.52ms</td>"
                                "<td class=\"bar\" style=\"--part:20.0%\">20.0 %</td></tr>\n"));
    EXPECT_LT(html.find("lookup"), html.find("assign"));  // most calls first
    EXPECT_THAT(html, HasSubstr("Not every call was timed"));
    EXPECT_THAT(html, Not(HasSubstr("(lost)")));
    Recording killed = sample();
    killed.ended = false;
    EXPECT_THAT(totals_html(killed), HasSubstr("did not come to its end"));
    EXPECT_EQ(totals_html({}), "<p>No operation was seen.</p>\n");
}

TEST(ReportPage, growth) {
    EXPECT_THAT(
        growth_html(sample()),
        HasSubstr("<tr><th scope=\"row\">users(go_map)</th><td class=\"bar\" style=\"--part:100.0%\">3 times</td>"
                  "<td>256</td><td>1000</td><td>3.91</td><td>225µs</td><td>617ms</td></tr>\n"));
    EXPECT_EQ(growth_html({}), "<p>No map grew.</p>\n");
}

TEST(ReportPage, conflicts_are_observed_never_proven) {
    EXPECT_THAT(conflicts_html(sample()), HasSubstr("<th scope=\"row\">users(go_map)</th><td class=\"op\">assign</td>"
                                                    "<td>observed 2 times</td>"));
    Recording calm = sample();
    for (model::Row& row : calm.totals) row.conflicts = 0;
    EXPECT_EQ(conflicts_html(calm),
              "<p>Conflicting access: none in 13345723 operations. An observation, not a proof.</p>\n");
}

TEST(ReportPage, charts_of_what_there_is) {
    const std::string html = charts_html(sample());
    for (const char* title : {"calls per second", "p99 of each interval", "waiting for the lock", "buckets, by map"})
        EXPECT_THAT(html, HasSubstr(title));
    EXPECT_EQ(charts_html({}), "<p>The file has no intervals.</p>\n");
    EXPECT_THAT(html, HasSubstr("users(go_map) assign: 20 % at 2s"));
    Recording many = sample();
    for (std::uint32_t i = 10; i < 40; ++i)
        many.intervals.push_back({1, sample_row(i, "m" + std::to_string(i), model::Op::lookup, i)});
    EXPECT_THAT(charts_html(many), HasSubstr("with fewer calls, not drawn"));
}

TEST(ReportPage, names_cannot_leave_their_place) {
    Recording nasty = sample();
    for (model::Row& row : nasty.totals) test::rename(row, "</style><script>alert('x')</script>\"");
    for (RecordedRow& row : nasty.intervals) test::rename(row.row, "</svg><img src=x onerror=alert(1)>");
    nasty.begin = "<b>";
    const std::string html = report_page(nasty, "<i>.csv", "");
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, Not(HasSubstr("<img")));
    EXPECT_THAT(html, Not(HasSubstr("<b>b")));
    EXPECT_THAT(html, HasSubstr("<title>&lt;i&gt;.csv – mapaudit</title>"));
}

TEST(ReportPage, needs_nothing_beside_itself) {
    const std::string html = report_page(sample(), "run.csv", "<svg class=\"flame\"></svg>");
    EXPECT_THAT(html, HasSubstr("<h2>Stacks</h2>\n<svg class=\"flame\"></svg>"));
    for (const char* outside : {"http:", "https:", "src=", "@import", "url("})
        EXPECT_THAT(html, Not(HasSubstr(outside)));
    EXPECT_THAT(html, HasSubstr("hottest</span><b>6.17M calls/s</b><span>users(go_map) lookup"));
    EXPECT_THAT(html, HasSubstr("<div class=\"tile bad\"><span>conflicting access</span><b>observed 2 times</b>"));
}

}  // namespace
}  // namespace mapaudit::output
