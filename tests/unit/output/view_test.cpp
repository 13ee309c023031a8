// SPDX-License-Identifier: Apache-2.0
#include "output/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> shown(const model::Report& report, const View& view) {
    std::vector<std::string> names;
    for (const model::Row* row : select_rows(report.rows, view)) {
        names.push_back(std::to_string(row->map->number) + std::string(op_name(row->op)) +
                        (row->cpu   ? " cpu"
                         : row->tid ? " tid"
                                    : ""));
    }
    return names;
}

View sorted_by(SortColumn column) {
    View view;
    view.sort = column;
    return view;
}

TEST(View, rows_come_largest_first_and_what_is_unknown_last) {
    const model::Report report = sample_report();
    EXPECT_THAT(shown(report, sorted_by(SortColumn::calls)),
                ElementsAre("1lookup", "1assign", "3erase", "1grow", "2lookup"));
    EXPECT_THAT(shown(report, sorted_by(SortColumn::p50)),
                ElementsAre("1grow", "1assign", "1lookup", "3erase", "2lookup"));
    EXPECT_THAT(shown(report, sorted_by(SortColumn::wait)),
                ElementsAre("1assign", "1lookup", "1grow", "3erase", "2lookup"));
    EXPECT_THAT(shown(report, sorted_by(SortColumn::size)),
                ElementsAre("1assign", "1lookup", "1grow", "3erase", "2lookup"));
    EXPECT_THAT(shown(report, sorted_by(SortColumn::name)),
                ElementsAre("2lookup", "3erase", "1assign", "1lookup", "1grow"));
}

TEST(View, trouble_is_time_waited_then_time_spent_then_calls) {
    model::Report report;
    const auto add = [&](std::uint32_t id, std::uint64_t calls, double mean_ns, double waited_ns, double weight) {
        model::Row row = sample_row(id, "m", model::Op::lookup, calls);
        if (mean_ns > 0) row.mean_ns = mean_ns;
        row.wait_total_ns = waited_ns;
        row.weight = weight;
        report.rows.push_back(std::move(row));
    };
    add(1, 2'000'000, 0, 0, 1);         // nobody knows what they took
    add(2, 3'000'000, 0, 0, 1);         // likewise, and more of them
    add(3, 1'000'000, 100, 0, 1);       // 100 ms
    add(4, 10, 200'000'000, 0, 1);      // 2 s
    add(5, 1'000, 1'000, 900'000, 1);   // 900 µs of waiting
    add(6, 1'000, 1'000, 950'000, 64);  // waits are known of all calls, timed or not
    EXPECT_THAT(shown(report, {}), ElementsAre("6lookup", "5lookup", "4lookup", "3lookup", "2lookup", "1lookup"));
    EXPECT_EQ(View().sort, SortColumn::trouble);
}

TEST(View, every_column_sorts_by_its_own_figure) {
    model::Report report;
    for (int i = 0; i < 3; ++i)
        report.rows.push_back(sample_row(static_cast<std::uint32_t>(i + 1), "m", model::Op::lookup, 10));
    const auto sorted_first = [&](SortColumn column, auto change) {
        model::Report changed = report;
        change(changed.rows[1]);
        return shown(changed, sorted_by(column)).front();
    };
    const std::string second = "2lookup";
    EXPECT_EQ(sorted_first(SortColumn::trouble, [](auto& r) { r.wait_total_ns = 1; }), second);
    EXPECT_EQ(sorted_first(SortColumn::calls, [](auto& r) { r.calls = 11; }), second);
    EXPECT_EQ(sorted_first(SortColumn::p50, [](auto& r) { r.p50_ns = 1; }), second);
    EXPECT_EQ(sorted_first(SortColumn::p90, [](auto& r) { r.p90_ns = 1; }), second);
    EXPECT_EQ(sorted_first(SortColumn::p99, [](auto& r) { r.p99_ns = 1; }), second);
    EXPECT_EQ(sorted_first(SortColumn::p999, [](auto& r) { r.p999_ns = 1; }), second);
    EXPECT_EQ(sorted_first(SortColumn::max, [](auto& r) { r.max_ns = 1; }), second);
    EXPECT_EQ(sorted_first(SortColumn::wait, [](auto& r) { r.mean_ns = 1; }), second);
    EXPECT_EQ(sorted_first(SortColumn::size, [](auto& r) { r.size = 1001; }), second);
    EXPECT_EQ(sorted_first(SortColumn::buckets, [](auto& r) { r.buckets = 257; }), second);
    EXPECT_EQ(sorted_first(SortColumn::load, [](auto& r) { r.load_factor = 4; }), second);
    EXPECT_EQ(sorted_first(SortColumn::grows, [](auto& r) { r.grows = 1; }), second);
    EXPECT_EQ(sorted_first(SortColumn::cpu, [](auto& r) { r.cpu_share = 0; }), second);
    EXPECT_EQ(sorted_first(SortColumn::name, [](auto& r) { test::rename(r, "a"); }), second);
}

TEST(View, single_cpus_and_threads_follow_their_row_where_asked_for) {
    View view;
    view.per_cpu = true;
    EXPECT_THAT(shown(sample_report(), view),
                ElementsAre("1assign", "1assign cpu", "1lookup", "1grow", "3erase", "2lookup"));
    view.per_thread = true;
    EXPECT_THAT(shown(sample_report(), view),
                ElementsAre("1assign", "1assign cpu", "1assign tid", "1lookup", "1grow", "3erase", "2lookup"));
}

TEST(View, top_is_a_number_of_maps) {
    View view;
    view.top = 1;
    EXPECT_THAT(shown(sample_report(), view), ElementsAre("1assign", "1lookup", "1grow"));
    view.top = 2;
    EXPECT_THAT(shown(sample_report(), view), ElementsAre("1assign", "1lookup", "1grow", "3erase"));
}

TEST(View, filter_is_found_in_the_name_and_never_hides_loss) {
    View view;
    view.filter = *MapFilter::make("^us.rs$");
    model::Report report = sample_report();
    EXPECT_THAT(shown(report, view), ElementsAre("1assign", "1lookup", "1grow"));
    keep_matching(report, view.filter);
    EXPECT_EQ(report.rows.size(), 6u);
    EXPECT_EQ(report.rows[0].map->name, "(lost)");
    EXPECT_EQ(report.ledger.fired, 1'000'003u);

    view.filter = *MapFilter::make("#2");  // by number where there is no name
    EXPECT_THAT(shown(sample_report(), view), ElementsAre("2lookup"));
    model::Row long_name = sample_row(1, std::string(1'000'000, 'x'), model::Op::lookup, 1);
    EXPECT_TRUE(MapFilter::make("x*$")->matches(long_name));
}

TEST(View, wrong_expressions_and_columns_say_what_is_right) {
    const auto filter = MapFilter::make("users[");
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().kind, Failure::usage);
    EXPECT_THAT(filter.error().line(), HasSubstr("users["));
    const auto column = sort_column("p95");
    ASSERT_FALSE(column);
    EXPECT_EQ(column.error().kind, Failure::usage);
    EXPECT_THAT(
        column.error().line(),
        HasSubstr(
            "one of trouble, calls, p50, p90, p99, p999, max, wait, waiting, size, buckets, load, grows, cpu, name"));
}

TEST(View, columns_are_found_by_name_and_cycle) {
    std::set<std::string_view> seen;
    SortColumn column = SortColumn::calls;
    do {
        seen.insert(sort_column_name(column));
        EXPECT_EQ(*sort_column(sort_column_name(column)), column);
        column = next_sort_column(column);
    } while (column != SortColumn::calls);
    EXPECT_EQ(seen.size(), 15u);
}

TEST(View, wait_is_a_share_of_the_time_of_all_calls) {
    model::Row row = sample_row(1, "m", model::Op::lookup, 640);
    EXPECT_FALSE(wait_share(row));
    row.mean_ns = 100;
    row.weight = 64;  // the mean is that of ten timed calls, the waits are those of all 640
    row.wait_total_ns = 16'000;
    EXPECT_DOUBLE_EQ(*wait_share(row), 0.25);
    row.wait_total_ns = 1e9;
    EXPECT_DOUBLE_EQ(*wait_share(row), 1.0);
    row.mean_ns = 0;
    EXPECT_DOUBLE_EQ(*wait_share(row), 0.0);
}

TEST(View, threads_waiting_is_time_waited_over_time_passed) {
    model::Row row = sample_row(1, "m", model::Op::lookup, 640);  // in two seconds
    EXPECT_FALSE(threads_waiting(row));
    row.mean_ns = 100;
    EXPECT_DOUBLE_EQ(*threads_waiting(row), 0.0);
    row.wait_total_ns = 3e9;
    EXPECT_DOUBLE_EQ(*threads_waiting(row), 1.5);
    row.weight = 64;  // waits are known of all calls, timed or not
    EXPECT_DOUBLE_EQ(*threads_waiting(row), 1.5);
}

}  // namespace
}  // namespace mapaudit::output
