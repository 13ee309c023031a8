// SPDX-License-Identifier: Apache-2.0
#include "model/headline.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace mapaudit::model {
namespace {

constexpr std::array<std::string_view, 1> library{"mapaudit::"}, between{"std::"};
constexpr SourceTraits source{.name = "usdt", .library = library, .between = between};
constexpr double second = 1;

// A map's row of one second: calls of 1 µs, all timed, that waited for `wait_share` of their time.
Row row_of(std::uint32_t id, Op op, std::uint64_t calls, double wait_share, std::uint64_t waits) {
    Row row;
    row.map = MapDescription{
        .id = {7, 0, id}, .number = id, .source = &source, .name = "m" + std::to_string(id), .kind = "mutex_map"};
    row.op = op;
    row.calls = row.timed = calls;
    row.mean_ns = 1000;
    row.wait_total_ns = wait_share * 1000 * static_cast<double>(calls);
    row.waits = waits;
    return row;
}

Evidence evidence_of(EvidenceKind kind, const Row& row, mapaudit_op op, const char* other, std::uint64_t ns) {
    Evidence evidence;
    evidence.kind = kind;
    evidence.map = row.map;
    evidence.detail = static_cast<std::uint32_t>(op);
    evidence.count = 1;
    evidence.total_ns = ns;
    Frame frame;
    frame.function = other;
    Frame inner;
    inner.function = "mapaudit::detail::unlock()";
    evidence.other_stack.frames = {inner, frame};
    return evidence;
}

Headline of(const std::vector<Row>& rows, const std::vector<Evidence>& evidence = {}) {
    return headline_of(rows, evidence, second, [](const MapDescription&) { return true; });
}

TEST(Headline, the_operation_that_waited_the_longest_comes_first) {
    const Headline headline = of({row_of(1, Op::lookup, 100'000, 0.5, 900), row_of(1, Op::assign, 20'000, 0.9, 900),
                                  row_of(2, Op::lookup, 400'000, 0.2, 900), row_of(3, Op::lookup, 400'000, 0.05, 900)});
    ASSERT_TRUE(headline.gravest);
    EXPECT_EQ(headline.gravest->kind, FindingKind::waiting);
    EXPECT_EQ(headline.gravest->map->name, "m2");
    EXPECT_EQ(headline.gravest->op, Op::lookup);
    EXPECT_DOUBLE_EQ(headline.gravest->share, 0.2);
    EXPECT_DOUBLE_EQ(headline.gravest->lost_ns, 80e6);
    EXPECT_EQ(headline.other_maps, 1u) << "m1, both operations; m3 is under a tenth";
    EXPECT_FALSE(headline.gravest->where) << "no evidence";
}

TEST(Headline, a_race_is_worse_than_a_wait_and_a_wait_than_growth) {
    Row grown = row_of(1, Op::assign, 500'000, 0, 0);
    grown.growth.total_ns = 400e6;
    grown.grows = 3;
    std::vector<Row> rows{grown};
    ASSERT_TRUE(of(rows).gravest);
    EXPECT_EQ(of(rows).gravest->kind, FindingKind::growing);
    EXPECT_EQ(of(rows).gravest->events, 3u);
    EXPECT_DOUBLE_EQ(of(rows).gravest->share, 0.8);
    rows.push_back(row_of(2, Op::lookup, 100'000, 0.2, 900));
    EXPECT_EQ(of(rows).gravest->kind, FindingKind::waiting);
    rows.push_back(row_of(3, Op::lookup, 1, 0, 0));
    rows.back().conflicts = 1;
    rows.push_back(row_of(3, Op::assign, 1, 0, 0));
    rows.back().fatal_errors = 1;
    EXPECT_EQ(of(rows).gravest->kind, FindingKind::conflict);
    EXPECT_EQ(of(rows).gravest->map->name, "m3");
    EXPECT_EQ(of(rows).gravest->events, 2u);
    EXPECT_EQ(of(rows).other_maps, 2u);
}

TEST(Headline, growth_below_half_of_the_time_is_left_to_the_advice) {
    Row grown = row_of(1, Op::assign, 500'000, 0, 0);
    grown.growth.total_ns = 240e6;
    EXPECT_FALSE(of({grown}).gravest);
}

TEST(Headline, little_is_never_called_wrong) {
    EXPECT_TRUE(of({row_of(1, Op::lookup, 100'000, 0.11, 20)}).gravest);
    EXPECT_FALSE(of({row_of(1, Op::lookup, 100'000, 0.11, 19)}).gravest) << "too few waits";
    EXPECT_FALSE(of({row_of(1, Op::lookup, 10'000, 0.99, 900)}).gravest) << "9.9 ms of a second";
    EXPECT_TRUE(of({row_of(1, Op::lookup, 300'000, 0.9, 3)}).gravest) << "three waits of 90 ms";
    Row few = row_of(1, Op::lookup, 19, 0.9, 19);
    few.mean_ns = 50e6;
    few.wait_total_ns = 0.9 * 19 * 50e6;
    EXPECT_FALSE(of({few}).gravest) << "too few calls";
}

TEST(Headline, times_of_a_sample_stand_for_all_calls_and_waits_for_themselves) {
    Row row = row_of(1, Op::lookup, 100'000, 0, 0);
    row.weight = 100;
    row.timed = 1'000;
    row.waits = 200;
    row.wait_total_ns = 50'000'000;
    const Headline headline = of({row});
    ASSERT_TRUE(headline.gravest);
    EXPECT_DOUBLE_EQ(headline.gravest->share, 0.5);
    EXPECT_DOUBLE_EQ(headline.gravest->lost_ns, 50e6);
}

TEST(Headline, nothing_wrong_says_what_it_rests_on) {
    EXPECT_EQ(of({}).grounds, Grounds::nothing);
    EXPECT_EQ(of({row_of(1, Op::lookup, 0, 0, 0)}).grounds, Grounds::nothing);
    EXPECT_EQ(of({row_of(1, Op::lookup, 19, 0, 0)}).grounds, Grounds::few);
    EXPECT_EQ(of({row_of(1, Op::lookup, 12, 0, 0), row_of(1, Op::assign, 8, 0, 0)}).grounds, Grounds::enough);
    Row untimed = row_of(1, Op::lookup, 1'000'000, 0, 0);
    untimed.timed = 0;
    untimed.mean_ns.reset();
    EXPECT_EQ(of({untimed}).grounds, Grounds::untimed);
    EXPECT_EQ(of({untimed}).calls, 1'000'000u);
}

TEST(Headline, single_cpus_unwanted_maps_and_losses_count_for_nothing) {
    Row on_cpu = row_of(1, Op::lookup, 100'000, 0.9, 900);
    on_cpu.cpu = 1;
    EXPECT_FALSE(of({on_cpu}).gravest);
    const Headline unwanted = headline_of({row_of(1, Op::lookup, 100'000, 0.9, 900)}, {}, second,
                                          [](const MapDescription& map) { return map.name != "m1"; });
    EXPECT_FALSE(unwanted.gravest);
    EXPECT_EQ(unwanted.grounds, Grounds::nothing);
}

TEST(Headline, the_holder_is_named_where_most_of_the_waiting_was_for_it) {
    const Row row = row_of(1, Op::lookup, 100'000, 0.9, 900), other = row_of(2, Op::lookup, 1, 0, 0);
    std::vector<Evidence> evidence{
        evidence_of(EvidenceKind::waiting, row, MAPAUDIT_OP_LOOKUP, "expire_all()", 51),
        evidence_of(EvidenceKind::waiting, row, MAPAUDIT_OP_LOOKUP, "handle()", 49),
        evidence_of(EvidenceKind::waiting, row, MAPAUDIT_OP_ASSIGN, "handle()", 1'000),
        evidence_of(EvidenceKind::waiting, other, MAPAUDIT_OP_LOOKUP, "handle()", 1'000),
        evidence_of(EvidenceKind::owning, row, MAPAUDIT_OP_LOOKUP, "handle()", 1'000),
    };
    ASSERT_TRUE(of({row, other}, evidence).gravest->where);
    EXPECT_EQ(of({row, other}, evidence).gravest->where->function, "expire_all()");
    evidence[1].total_ns = 51;
    EXPECT_FALSE(of({row, other}, evidence).gravest->where) << "neither held it for most of the time";
}

TEST(Headline, racers_are_those_seen_most_often) {
    Row row = row_of(1, Op::lookup, 100, 0, 0);
    row.conflicts = 5;
    std::vector<Evidence> evidence{evidence_of(EvidenceKind::racing, row, MAPAUDIT_OP_ASSIGN, "once()", 0),
                                   evidence_of(EvidenceKind::racing, row, MAPAUDIT_OP_ASSIGN, "reload()", 0)};
    evidence[1].count = 4;
    const Headline headline = of({row}, evidence);
    ASSERT_TRUE(headline.gravest->other);
    EXPECT_EQ(headline.gravest->other->function, "reload()");
    EXPECT_FALSE(headline.gravest->where) << "its stack is not known";
}

}  // namespace
}  // namespace mapaudit::model
