// SPDX-License-Identifier: Apache-2.0
#include "model/blame.hpp"

#include <gtest/gtest.h>

#include "model/aggregator.hpp"
#include "support/described.hpp"

namespace mapaudit::model {
namespace {

OpBlame sampled(std::uint64_t work, std::uint64_t locked, std::uint64_t grow, std::uint64_t wait) {
    OpBlame blame;
    blame.samples = {work, locked, grow, wait};
    return blame;
}

ProcessBlame process(int pid, std::uint64_t samples, std::uint64_t elsewhere, std::uint64_t unknown = 0,
                     std::uint64_t lost = 0) {
    ProcessBlame blame;
    blame.pid = pid;
    blame.samples = samples;
    blame.elsewhere = elsewhere;
    blame.unknown = unknown;
    blame.lost = lost;
    return blame;
}

Row row(int pid, std::uint32_t map, Op op, std::uint64_t calls = 0) {
    Row row;
    row.map = MapDescription{.id = {pid, 0, map}};
    row.op = op;
    row.calls = calls;
    return row;
}

TEST(Blame, a_sample_is_in_one_phase) {
    const OpBlame blame = sampled(1, 20, 300, 4000);
    EXPECT_EQ(blame.all(), 4321u);
    EXPECT_EQ(blame.working(), 21u);
    EXPECT_EQ(blame.growing(), 300u);
    EXPECT_EQ(blame.waiting(), 4000u);
    EXPECT_FALSE(blame.empty());
    EXPECT_TRUE(OpBlame{}.empty());
}

TEST(Blame, everything_is_added) {
    OpBlame one = sampled(1, 2, 3, 4);
    one.events = {5, 6, 7, 8};
    one.sleeps = 9;
    one.slept_ns = 10;
    one.lock_sleeps = 11;
    one.lock_slept_ns = 12;
    one.preemptions = 13;
    one.preempted_ns = 14;
    one.lock_preemptions = 15;
    one.lock_preempted_ns = 16;
    one.migrations = 17;
    OpBlame sum = one;
    sum.add(one);
    OpBlame twice = sampled(2, 4, 6, 8);
    twice.events = {10, 12, 14, 16};
    twice.sleeps = 18;
    twice.slept_ns = 20;
    twice.lock_sleeps = 22;
    twice.lock_slept_ns = 24;
    twice.preemptions = 26;
    twice.preempted_ns = 28;
    twice.lock_preemptions = 30;
    twice.lock_preempted_ns = 32;
    twice.migrations = 34;
    EXPECT_EQ(sum, twice);
}

TEST(BlameAggregator, adds_up_over_intervals_maps_and_processes) {
    BlameAggregator aggregator;
    aggregator.add({1, 0, 7}, MAPAUDIT_OP_LOOKUP, sampled(3, 0, 0, 0));
    aggregator.add({1, 0, 7}, MAPAUDIT_OP_ASSIGN, sampled(0, 2, 1, 0));
    aggregator.add({1, 1, 7}, MAPAUDIT_OP_ASSIGN, sampled(0, 0, 0, 5));
    aggregator.add(process(1, 20, 9));
    aggregator.add(process(2, 4, 1, 2, 1));
    CpuReport first = aggregator.close_interval();
    ASSERT_EQ(first.maps.size(), 2u);
    EXPECT_EQ(first.maps[0].map->id, (MapId{1, 0, 7}));
    EXPECT_EQ(first.maps[0].sum(), sampled(3, 2, 1, 0));
    EXPECT_EQ(first.maps[1].sum(), sampled(0, 0, 0, 5));
    ASSERT_NE(first.process(1), nullptr);
    EXPECT_EQ(first.process(1)->in_maps, 11u);
    EXPECT_TRUE(first.process(1)->balances());
    EXPECT_TRUE(first.process(2)->balances());
    EXPECT_EQ(first.process(3), nullptr);

    aggregator.add({1, 0, 7}, MAPAUDIT_OP_LOOKUP, sampled(1, 0, 0, 0));
    aggregator.add(process(1, 1, 0));
    const CpuReport second = aggregator.close_interval();
    ASSERT_EQ(second.maps.size(), 1u);
    EXPECT_EQ(second.maps[0].sum().all(), 1u);
    const CpuReport total = aggregator.totals();
    EXPECT_EQ(total.maps[0].ops[MAPAUDIT_OP_LOOKUP], sampled(4, 0, 0, 0));
    EXPECT_EQ(total.process(1)->samples, 21u);
    EXPECT_TRUE(total.process(1)->balances());
    EXPECT_TRUE(aggregator.close_interval().maps.empty());
}

TEST(BlameAggregator, what_is_missing_does_not_balance) {
    BlameAggregator aggregator;
    aggregator.add(process(1, 10, 9));
    EXPECT_FALSE(aggregator.totals().process(1)->balances());
}

TEST(BlameAggregator, operations_that_no_library_knows_are_ignored) {
    BlameAggregator aggregator;
    aggregator.add({1, 0, 7}, MAPAUDIT_HOT_OPS, sampled(1, 0, 0, 0));
    aggregator.add({1, 0, 7}, 255, sampled(1, 0, 0, 0));
    EXPECT_TRUE(aggregator.totals().maps.empty());
}

class Shares : public testing::Test {
protected:
    Shares() {
        BlameAggregator aggregator;
        aggregator.add({1, 0, 7}, MAPAUDIT_OP_LOOKUP, sampled(30, 0, 0, 0));
        aggregator.add({1, 0, 7}, MAPAUDIT_OP_ASSIGN, sampled(5, 5, 10, 0));
        aggregator.add(process(1, 100, 50));
        cpu_ = aggregator.totals();
    }
    CpuReport cpu_;
};

TEST_F(Shares, rows_of_a_map_add_up_and_growth_has_its_own) {
    std::vector<Row> rows{row(1, 7, Op::assign), row(1, 7, Op::lookup), row(1, 7, Op::grow), row(1, 8, Op::lookup)};
    Row on_cpu = rows[0];
    on_cpu.cpu = 1;
    rows.push_back(on_cpu);
    share_cpu(rows, cpu_);
    EXPECT_DOUBLE_EQ(*rows[0].cpu_share, 0.10);
    EXPECT_DOUBLE_EQ(*rows[1].cpu_share, 0.30);
    EXPECT_DOUBLE_EQ(*rows[2].cpu_share, 0.10);
    EXPECT_DOUBLE_EQ(*rows[3].cpu_share, 0.0);
    EXPECT_FALSE(rows[4].cpu_share);
}

TEST_F(Shares, growth_stays_with_its_operation_where_it_has_no_row) {
    std::vector<Row> rows{row(1, 7, Op::assign), row(1, 7, Op::lookup)};
    share_cpu(rows, cpu_);
    EXPECT_DOUBLE_EQ(*rows[0].cpu_share, 0.20);
}

TEST_F(Shares, another_registrys_map_of_the_same_id_is_another) {
    std::vector<Row> rows{row(1, 7, Op::lookup)};
    test::redescribe(rows[0], [](MapDescription& map) { map.id.domain = 1; });
    share_cpu(rows, cpu_);
    EXPECT_DOUBLE_EQ(*rows[0].cpu_share, 0.0);
}

TEST_F(Shares, without_samples_there_is_none) {
    std::vector<Row> rows{row(2, 7, Op::lookup)};
    share_cpu(rows, cpu_);
    EXPECT_FALSE(rows[0].cpu_share);
    share_cpu(rows, CpuReport{});
    EXPECT_FALSE(rows[0].cpu_share);
}

TEST_F(Shares, a_part_younger_than_the_whole_is_no_more_than_all) { EXPECT_DOUBLE_EQ(*cpu_share(cpu_, 1, 101), 1.0); }

TEST_F(Shares, calls_come_from_the_rows) {
    Row on_cpu = row(1, 7, Op::lookup, 3);
    on_cpu.cpu = 0;
    count_calls(cpu_, {row(1, 7, Op::lookup, 40), on_cpu, row(1, 7, Op::grow, 2), row(1, 9, Op::lookup, 1)});
    EXPECT_EQ(cpu_.maps[0].calls[MAPAUDIT_OP_LOOKUP], 40u);
    EXPECT_EQ(cpu_.maps[0].calls[MAPAUDIT_OP_ASSIGN], 0u);
}

TEST(Aggregator, names_the_blamed_and_tells_registries_apart) {
    Aggregator aggregator({});
    aggregator.describe({1, 1, 7}, {nullptr, "users", "go_map", {}, {}, {}, true});
    aggregator.blame().add({1, 1, 7}, MAPAUDIT_OP_LOOKUP, sampled(1, 0, 0, 0));
    aggregator.blame().add({1, 0, 7}, MAPAUDIT_OP_LOOKUP, sampled(1, 0, 0, 0));
    const CpuReport cpu = aggregator.cpu_totals();
    EXPECT_EQ(cpu.maps[0].map->name, "");
    EXPECT_EQ(cpu.maps[1].map->name, "users");
    EXPECT_EQ(cpu.maps[1].map->kind, "go_map");
    Counts counts;
    counts.calls = 1;
    aggregator.add({{1, 1, 7}, Op::lookup, 0, 0}, counts);
    EXPECT_EQ(aggregator.totals(1).at(0).map->id.domain, 1u);
}

}  // namespace
}  // namespace mapaudit::model
