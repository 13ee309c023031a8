// SPDX-License-Identifier: Apache-2.0
#include "output/headline_text.hpp"

#include <gtest/gtest.h>

#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

// Two seconds; calls of 1 µs, all timed.
model::Row row_of(std::uint32_t id, const std::string& name, model::Op op, double wait_share) {
    model::Row row = sample_row(id, name, op, 1'000'000);
    row.timed = row.calls;
    row.mean_ns = 1000;
    row.waits = 5'000;
    row.wait_total_ns = wait_share * 1e9;
    return row;
}

model::Report report_of(std::vector<model::Row> rows, model::Scope scope = model::Scope::interval) {
    model::Report report = sample_report(scope);
    report.rows = std::move(rows);
    return report;
}

std::string line(const model::Report& report, const View& view = {}) { return headline_line(report, view).text; }

TEST(HeadlineText, a_wait_in_one_line) {
    model::Report report = report_of({row_of(29, "sessions-29", model::Op::lookup, 0.79)});
    EXPECT_EQ(line(report), "sessions-29: 79 % of look-ups' time is waiting for its lock");
    EXPECT_TRUE(headline_line(report, {}).trouble);
    model::Evidence waited;
    waited.kind = model::EvidenceKind::waiting;
    waited.map = report.rows[0].map;
    waited.detail = MAPAUDIT_OP_LOOKUP;
    waited.total_ns = 790'000'000;
    model::Frame frame;
    frame.function = "expire_all(table&)";
    waited.other_stack.frames = {frame};
    report.evidence = {waited};
    report.scope = model::Scope::total;
    EXPECT_EQ(line(report), "sessions-29: 79 % of look-ups' time was waiting for its lock, held in expire_all");
}

TEST(HeadlineText, other_maps_are_counted_and_processes_told_apart) {
    model::Report report = report_of({row_of(1, "a", model::Op::assign, 0.5), row_of(2, "b", model::Op::erase, 0.4)});
    EXPECT_EQ(line(report), "a: 50 % of assigns' time is waiting for its lock; 1 more map is in trouble too");
    report.rows.push_back(row_of(3, "", model::Op::iterate, 0.9));
    report.targets.push_back(report.targets[0]);
    EXPECT_EQ(line(report),
              "4242:#3: 90 % of iterations' time is waiting for its lock; 2 more maps are in trouble too");
    View view;
    view.filter = *MapFilter::make("^b$");
    EXPECT_EQ(line(report, view), "4242:b: 40 % of erases' time is waiting for its lock");
}

TEST(HeadlineText, a_race_has_two_places) {
    model::Report report = report_of({row_of(1, "routes", model::Op::lookup, 0)}, model::Scope::total);
    report.rows[0].conflicts = 520;
    EXPECT_EQ(line(report), "routes: concurrent access where none is allowed, 520 times");
    model::Evidence race;
    race.kind = model::EvidenceKind::racing;
    race.map = report.rows[0].map;
    race.count = 520;
    model::Frame frame;
    frame.function = "reload()";
    race.other_stack.frames = {frame};
    report.evidence = {race};
    EXPECT_EQ(line(report), "routes: concurrent access where none is allowed, 520 times, beside reload");
    frame.function = "route_of(\x1b[2J)";
    report.evidence[0].stack.frames = {frame};
    EXPECT_EQ(line(report), "routes: concurrent access where none is allowed, 520 times, in route_of beside reload");
}

TEST(HeadlineText, growth) {
    model::Report report = report_of({row_of(1, "users", model::Op::assign, 0)});
    report.rows[0].growth.total_ns = 630e6;
    report.rows[0].grows = 3;
    EXPECT_EQ(line(report), "users: 63 % of assigns' time is growing (3 growths)");
}

TEST(HeadlineText, nothing_wrong_says_how_much_was_looked_at) {
    model::Report report = report_of({row_of(1, "users", model::Op::assign, 0)});
    EXPECT_EQ(line(report), "nothing wrong was seen in 1000000 calls");
    EXPECT_FALSE(headline_line(report, {}).trouble);
    report.rows[0].timed = 7;
    EXPECT_EQ(line(report), "too little was seen to judge: 7 timed calls");
    report.rows[0].timed = 0;
    EXPECT_EQ(line(report),
              "no conflict was seen in 1000000 calls; what they waited is not known, they were not timed");
    report.rows.clear();
    EXPECT_EQ(line(report), "no operation was seen");
}

// The advice goes by the time waited among the operations' own, the headline by that of the whole run as well.
TEST(HeadlineText, the_summary_never_calls_well_what_it_advises_on) {
    model::Report report = report_of({row_of(1, "users", model::Op::assign, 0.5)}, model::Scope::total);
    report.interval_s = 3600;
    EXPECT_EQ(line(report), "nothing grave was seen in 1000000 calls; the advice below is about less");
}

}  // namespace
}  // namespace mapaudit::output
