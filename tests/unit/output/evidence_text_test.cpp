// SPDX-License-Identifier: Apache-2.0
#include "output/evidence_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sources/go/go_traits.hpp"
#include "sources/usdt/usdt_traits.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::HasSubstr;
using testing::Not;

model::Frame frame(const char* function, const char* file, std::uint32_t line, bool inlined = false) {
    model::Frame f;
    f.function = function;
    f.file = file;
    f.line = line;
    f.module = "server";
    f.inlined = inlined;
    return f;
}

model::Stack caller(const char* function, std::uint32_t line) {
    return {{frame("mapaudit::detail::table_map<int, int>::assign(int const&, int)", "/opt/table_map.hpp", 194, true),
             frame(function, "/src/server.cc", line), frame("main", "/src/main.cc", 12)},
            {}};
}

model::MapRef described(std::uint32_t id, const char* name, const char* kind, const model::SourceTraits& source) {
    return model::MapDescription{.id = {4242, 0, id}, .number = id, .source = &source, .name = name, .kind = kind};
}

model::Evidence evidence(model::EvidenceKind kind) {
    model::Evidence row;
    row.kind = kind;
    row.map = described(1, "users", "go_map", sources::usdt_traits);
    row.count = 3;
    row.total_ns = 15'200'000;
    row.max_ns = 5'100'000;
    row.first_s = 0.5;
    row.last_s = 2.25;
    row.stack = caller("handle_request(int)", 120);
    row.other_stack = caller("bool slow_update<int>(int)", 80);
    return row;
}

model::Report report_with(model::Evidence row) {
    model::Report report = sample_report(model::Scope::total);
    report.evidence.push_back(std::move(row));
    return report;
}

TEST(EvidenceText, waits_in_short) {
    model::Evidence row = evidence(model::EvidenceKind::waiting);
    row.other_tid = 77;
    EXPECT_EQ(waits_text(report_with(row), {}), R"(Waits for locks, the longest in all first:
  users(go_map) assign: 3 waits, 15.2ms in all, 5.10ms the longest, for thread 77
      waited in handle_request (server.cc:120)
        held in slow_update<> (server.cc:80)
)");
}

TEST(EvidenceText, waits_where_probes_make_threads_wait_say_so) {
    model::Report report = report_with(evidence(model::EvidenceKind::waiting));
    report.overhead.prices.parallel_speed = 0.5;
    EXPECT_THAT(waits_text(report, {}), Not(HasSubstr("doctor")));
    report.overhead.prices.parallel_speed = 0.31;
    EXPECT_THAT(
        waits_text(report, {}),
        HasSubstr("Waits for locks, the longest in all first:\n  (threads that hit probes at once run at 31.0 % of "
                  "their speed in this kernel, so that the audit may be a part of these waits: see mapaudit "
                  "doctor)\n  users(go_map) assign: "));
    report.evidence.clear();
    EXPECT_EQ(waits_text(report, {}), "") << "beside waits only";
}

TEST(EvidenceText, waits_for_several_owners_in_one_place_are_one) {
    model::Evidence row = evidence(model::EvidenceKind::waiting);
    row.other_tid = 77;
    model::Report report = report_with(row);
    row.other_tid = 78;
    row.total_ns = 800'000;
    report.evidence.push_back(row);
    EXPECT_THAT(waits_text(report, {}),
                HasSubstr("6 waits, 16.0ms in all, 5.10ms the longest, for thread 77 and 1 other\n"));
    report.evidence.back().other_stack = {{}, "not known"};
    EXPECT_THAT(waits_text(report, {}), HasSubstr("held in [not known]"));
}

TEST(EvidenceText, whole_stacks_begin_with_the_maps_operation) {
    model::Evidence row = evidence(model::EvidenceKind::waiting);
    row.stack.cut = "the copy of the stack ends here";
    EvidenceView view;
    view.stacks = true;
    EXPECT_THAT(waits_text(report_with(row), view), HasSubstr(R"(      waited in
          mapaudit::detail::table_map<>::assign (table_map.hpp:194) [inlined]
          handle_request (server.cc:120)
          main (main.cc:12)
          [the copy of the stack ends here]
)"));
}

TEST(EvidenceText, what_a_target_calls_itself_is_made_harmless) {
    model::Evidence row = evidence(model::EvidenceKind::waiting);
    row.stack.frames = {row.stack.frames[0], frame("evil\x1b[2J", "/src/\x1b]0;x\x07.cc", 1), row.stack.frames[2]};
    EXPECT_THAT(waits_text(report_with(row), {}), Not(HasSubstr("\x1b")));
    EXPECT_THAT(waits_text(report_with(row), {}), Not(HasSubstr("\x07")));
}

TEST(EvidenceText, a_conflict_has_two_threads_two_places_and_times) {
    model::Evidence row = evidence(model::EvidenceKind::racing);
    row.detail = MAPAUDIT_CONFLICT_READ_WRITE;
    row.tid = 11;
    row.other_tid = 12;
    EXPECT_THAT(conflicts_text(report_with(row), {}),
                HasSubstr(R"(  users(go_map): observed 2 times (13345681 operations)
    a read beside a write, 3 times from 0.500 s to 2.250 s
      thread 11 in handle_request (server.cc:120)
      thread 12 in slow_update<> (server.cc:80)
)"));
}

TEST(EvidenceText, the_verdict_is_never_more_than_was_seen) {
    model::Report report = sample_report(model::Scope::total);
    for (model::Row& row : report.rows) row.conflicts = 0;
    EXPECT_EQ(conflicts_text(report, {}), "") << "no map looks for it";
    for (model::Row& row : report.rows)
        test::redescribe(row, [](model::MapDescription& map) { map.checked = map.name == "users"; });
    EXPECT_EQ(conflicts_text(report, {}),
              "Concurrent access where none is allowed:\n  users(go_map): none in 13345681 operations\n");
}

TEST(EvidenceText, the_filter_holds_for_evidence_too) {
    auto filter = MapFilter::make("nobody");
    ASSERT_TRUE(filter);
    EvidenceView view;
    view.filter = *filter;
    EXPECT_EQ(waits_text(report_with(evidence(model::EvidenceKind::waiting)), view), "");
    EXPECT_TRUE(folded_evidence(report_with(evidence(model::EvidenceKind::waiting)), *filter).empty());
}

TEST(EvidenceText, folded_by_map_and_kind_in_ns) {
    const model::Report report = report_with(evidence(model::EvidenceKind::growing));
    const auto folded = folded_evidence(report, {});
    ASSERT_EQ(folded.size(), 1u);
    EXPECT_EQ(folded[0].prefix, (std::vector<std::string>{"users(go_map)", "grow"}));
    EXPECT_EQ(folded[0].value, 15'200'000u);
}

model::Row go_row() {
    model::Row row = sample_row(9, "map[string]int main.go:7 main.fill", model::Op::grow, 4);
    row.map = described(9, "map[string]int main.go:7 main.fill", "go classic", sources::go_traits);
    row.grows = 4;
    row.size = 100;
    return row;
}

TEST(EvidenceText, a_conflict_in_go_has_goroutines_and_says_what_is_not_known) {
    model::Report report = sample_report(model::Scope::total);
    report.rows = {go_row()};
    report.rows[0].fatal_errors = 1;
    model::Evidence row = evidence(model::EvidenceKind::racing);
    row.map = report.rows[0].map;
    row.detail = MAPAUDIT_CONFLICT_WRITE_WRITE;
    row.count = 1;
    row.tid = 34;
    row.stack = {{frame("runtime.mapassign_faststr", "/go/src/runtime/map_faststr.go", 212),
                  frame("main.(*table).fill", "/src/main.go", 7)},
                 {}};
    row.other_stack = {{}, "not known: nobody looked"};
    report.evidence = {row};
    EXPECT_EQ(conflicts_text(report, {}), R"(Concurrent access where none is allowed:
  map[string]int main.go:7 main.fill(go classic): observed 1 time, by the runtime, which then ends the program
    concurrent writes, 1 time from 0.500 s to 2.250 s
      goroutine 34 in main.(*table).fill (main.go:7)
      another one in [not known: nobody looked]
)");
    EXPECT_THAT(advice_text(report, {}),
                HasSubstr("  - guard map[string]int main.go:7 main.fill(go classic): conflicting access was observed "
                          "1 time; put a sync.Mutex round it, or use a sync.Map\n"));
}

TEST(EvidenceText, conflicts_between_operations_come_before_the_runtimes_own) {
    model::Report report = sample_report(model::Scope::total);
    model::Row lookup = go_row();
    lookup.op = model::Op::lookup;
    lookup.calls = 6906;
    lookup.conflicts = 3;
    report.rows = {lookup, go_row()};
    EXPECT_EQ(conflicts_text(report, {}), R"(Concurrent access where none is allowed:
  map[string]int main.go:7 main.fill(go classic): observed 3 times (6906 operations)
)");
    report.rows[1].fatal_errors = 1;
    EXPECT_EQ(conflicts_text(report, {}), R"(Concurrent access where none is allowed:
  map[string]int main.go:7 main.fill(go classic): observed 4 times (6906 operations), the last time by the runtime, which then ends the program
)");
}

TEST(EvidenceText, callers_of_each_operation_with_their_share) {
    model::Report report = sample_report(model::Scope::total);
    for (const std::uint64_t calls : {75, 25}) {
        model::Evidence row = evidence(model::EvidenceKind::calling);
        row.detail = MAPAUDIT_OP_LOOKUP;
        row.count = calls;
        row.total_ns = row.max_ns = 0;
        row.stack = caller(calls == 75 ? "find(int)" : "count(int)", 20);
        report.evidence.push_back(row);
    }
    model::Evidence other = report.evidence[0];
    other.detail = MAPAUDIT_OP_WHOLE;
    other.count = 1;
    report.evidence.push_back(other);
    EXPECT_EQ(callers_text(report, {}), R"(Who used maps, the most calls seen first:
  users(go_map) lookup: 75 calls, 75.0 % of all such
      called in find (server.cc:20)
  users(go_map) lookup: 25 calls, 25.0 % of all such
      called in count (server.cc:20)
  users(go_map) iterate: 1 call, 100.0 % of all such
      called in find (server.cc:20)
)");
    EvidenceView one;
    one.most = 1;
    EXPECT_THAT(callers_text(report, one), testing::EndsWith("find (server.cc:20)\n  ... and 2 more callers\n"));
    EXPECT_EQ(callers_text(sample_report(model::Scope::total), {}), "");
    const auto folded = folded_evidence(report, {});
    ASSERT_EQ(folded.size(), 3u);
    EXPECT_EQ(folded[2].value, 1u);
}

TEST(EvidenceText, growth_of_go_maps_is_advised_on_without_times) {
    model::Report report = sample_report(model::Scope::total);
    report.rows = {go_row()};
    EXPECT_EQ(
        advice_text(report, {}),
        "Advice:\n  - make map[string]int main.go:7 main.fill(go classic) with room for 100 elements (make's size "
        "hint): it grew 4 times\n");
    report.rows[0].size.reset();
    EXPECT_EQ(advice_text(report, {}),
              "Advice:\n  - make map[string]int main.go:7 main.fill(go classic) with the room that they will need "
              "(make's size hint): they grew 4 times\n");
}

}  // namespace
}  // namespace mapaudit::output
