// SPDX-License-Identifier: Apache-2.0
//
// What the aggregator is told of maps, and what of a domain's events and blocks is counted in it.
#include "sources/usdt/usdt_maps.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "sources/usdt/usdt_intake.hpp"
#include "sources/usdt/usdt_traits.hpp"
#include "unit/sources/usdt_own_registry.hpp"
#include "unit/sources/usdt_target.hpp"

namespace mapaudit::sources {
namespace {

RegistryMap described(std::uint32_t id, const char* name, std::uint64_t size = 1) {
    return {id, "go_map", name, size, 8, 0, 0, false};
}

// Three maps at most have rows of their own.
class Maps : public ::testing::Test {
protected:
    Maps() {
        UsdtImage image;
        image.probes = std::make_shared<const ElfProbes>(ElfProbes{{{"batch", 1, 2}}});
        EXPECT_TRUE(domains.add(process, {image}));
    }
    const model::MapInfo* info(std::uint32_t id) const { return aggregator.find(domains.map_id(0, id)); }
    static wire_destroy destruction(std::uint32_t id, std::uint64_t size) {
        wire_destroy destroy{};
        destroy.event.map = id;
        destroy.size = size;
        destroy.buckets = 64;
        return destroy;
    }

    Process process = own_process();
    UsdtDomains domains;
    UsdtMaps maps{domains, 3};
    model::Aggregator aggregator{{}};
};

TEST_F(Maps, are_known_by_what_they_were_at_the_attach_even_if_they_have_gone) {
    maps.remember(0, {described(1, "gone"), described(2, "stays", 5)});
    maps.update(0, {{described(2, "stays", 6), described(3, "new")}}, aggregator);
    ASSERT_NE(info(1), nullptr);
    EXPECT_EQ(info(1)->name, "gone");
    EXPECT_FALSE(info(1)->alive);
    EXPECT_TRUE(info(2)->alive);
    EXPECT_EQ(info(2)->size, 6u);
    EXPECT_EQ(info(2)->source, &usdt_traits);
    EXPECT_TRUE(info(3)->alive);
}

TEST_F(Maps, keep_their_last_figures_when_their_process_has_ended) {
    maps.remember(0, {described(1, "one", 5)});
    maps.update(0, std::nullopt, aggregator);
    ASSERT_NE(info(1), nullptr);
    EXPECT_TRUE(info(1)->alive);
    EXPECT_EQ(info(1)->size, 5u);
}

TEST_F(Maps, that_are_missing_have_gone) {
    maps.update(0, {{described(1, "one"), described(2, "two")}}, aggregator);
    maps.update(0, {{described(2, "two")}}, aggregator);
    EXPECT_FALSE(info(1)->alive);
    EXPECT_EQ(info(1)->name, "one");
    EXPECT_TRUE(info(2)->alive);
}

TEST_F(Maps, that_are_destroyed_keep_the_figures_they_ended_with) {
    maps.update(0, {{described(1, "one")}}, aggregator);
    maps.destroyed(0, destruction(1, 77), aggregator);
    EXPECT_FALSE(info(1)->alive);
    EXPECT_EQ(info(1)->size, 77u);
    EXPECT_EQ(info(1)->buckets, 64u);
    EXPECT_EQ(info(1)->name, "one");
    maps.destroyed(0, destruction(2, 1), aggregator);  // nobody had heard of it
    ASSERT_NE(info(2), nullptr);
    EXPECT_FALSE(info(2)->alive);
    maps.created(0, described(1, "again"), aggregator);  // told too late
    EXPECT_FALSE(info(1)->alive);
}

TEST_F(Maps, are_described_up_to_the_bound_and_beyond_it_where_they_have_rows) {
    for (std::uint32_t id = 1; id <= 5; ++id) maps.created(0, described(id, "many"), aggregator);
    EXPECT_NE(info(3), nullptr);
    EXPECT_EQ(info(4), nullptr);
    maps.admission().note(0, 5);
    maps.update(0, {{described(3, "three", 30), described(4, "four"), described(5, "five")}}, aggregator);
    EXPECT_EQ(info(3)->size, 30u) << "what is known stays up to date";
    EXPECT_EQ(info(4), nullptr);
    ASSERT_NE(info(5), nullptr);
}

TEST_F(Maps, of_other_sources_take_no_room) {
    for (std::uint32_t id = 1; id <= 50; ++id)
        aggregator.describe({1, 0, id}, {nullptr, "", "", {}, {}, {}, true, false});
    maps.created(0, described(1, "ours"), aggregator);
    EXPECT_NE(info(1), nullptr);
}

TEST_F(Maps, have_rows_of_their_own_up_to_the_bound) {
    UsdtAdmission& admission = maps.admission();
    for (std::uint32_t id = 1; id <= 3; ++id) EXPECT_EQ(admission.admit(0, id), id);
    EXPECT_EQ(admission.admit(1, 1), model::other_maps) << "the bound is over all domains";
    EXPECT_EQ(admission.admit(0, 2), 2u);
    EXPECT_EQ(admission.admit(0, model::other_maps), model::other_maps);
    EXPECT_FALSE(admission.has(1, 1));
}

class Intake : public Maps {
protected:
    UsdtIntake intake(model::Level level = model::Level::full) {
        return {{options, domains, maps, reconciler, ledger}, level, aggregator};
    }
    // calls of each map and operation so far
    CallsByOp totals() const {
        CallsByOp calls;
        for (const model::Row& row : aggregator.totals(1))
            for (int op = 0; op < MAPAUDIT_OPS; ++op)
                if (row.op == model::op_of(static_cast<std::uint32_t>(op)) && row.calls != 0)
                    calls[{row.map->id.id, op}] += row.calls;
        return calls;
    }
    static wire_event event_of(std::uint32_t map) {
        wire_event event{};
        event.map = map;
        event.tid = 9;
        return event;
    }

    UsdtOptions options;
    UsdtReconciler reconciler{maps.admission(), true};
    UsdtLedger ledger;
};

TEST_F(Intake, counts_a_spill_and_says_what_of_it_made_no_sense) {
    std::vector<mapaudit_record> records(5, record_of(1, MAPAUDIT_OP_ASSIGN, 10));
    records[4].op = 200;
    intake().on_spill(event_of(0), records);
    EXPECT_EQ(totals(), (CallsByOp{{{1, MAPAUDIT_OP_ASSIGN}, 4}}));
    wire_ledger kernel{};
    kernel.fired = kernel.spilled = 5;
    const model::Ledger told = ledger.ledger(kernel);
    EXPECT_EQ(told.fired, 5u);
    EXPECT_EQ(told.handled, 4u);
    ASSERT_EQ(told.lost.size(), 1u);
    EXPECT_EQ(ledger.activity(kernel).timed, 4u);
}

TEST_F(Intake, counts_growths_and_conflicts_that_the_kernel_has_not) {
    std::vector<std::uint32_t> reported;
    options.on_grow = [&](const GrowEvent& grow) { reported.push_back(grow.number); };
    UsdtIntake in = intake();
    wire_grow grow{};
    grow.event = event_of(1);
    grow.old_buckets = 8;
    grow.new_buckets = 16;
    grow.duration_ns = 1000;
    grow.counted = 1;
    grow.number = 2;
    in.on_grow(grow);
    grow.counted = 0;
    grow.number = 1;
    in.on_grow(grow);
    EXPECT_TRUE(reported.empty());
    in.report_growths();
    in.report_growths();
    EXPECT_EQ(reported, (std::vector<std::uint32_t>{1, 2}));
    wire_conflict conflict{};
    conflict.event = event_of(2);
    conflict.kind = MAPAUDIT_CONFLICT_READ_WRITE;
    in.on_conflict(conflict);
    conflict.counted = 1;
    in.on_conflict(conflict);
    EXPECT_EQ(totals(), (CallsByOp{{{1, MAPAUDIT_OP_GROW}, 1}}));
    std::uint64_t conflicts = 0, grows = 0;
    for (const model::Row& row : aggregator.totals(1)) {
        conflicts += row.conflicts;
        EXPECT_EQ(row.conflicts, row.op == model::Op::lookup ? 1u : 0u);
        if (row.op == model::Op::grow) grows += row.grows;
    }
    EXPECT_EQ(conflicts, 1u);
    EXPECT_EQ(grows, 1u);
    wire_ledger kernel{};
    kernel.fired = kernel.spilled = 2;
    EXPECT_EQ(ledger.ledger(kernel).handled, 2u);
    EXPECT_EQ(ledger.activity(kernel).operations(), 0u) << "neither is an operation";
}

TEST_F(Intake, counts_for_others_what_has_no_room_and_says_whose_row_that_is) {
    std::vector<mapaudit_record> records;
    for (std::uint32_t map = 1; map <= 5; ++map) records.push_back(record_of(map, MAPAUDIT_OP_LOOKUP, 10));
    intake().on_spill(event_of(0), records);
    EXPECT_EQ(totals(), (CallsByOp{{{0, MAPAUDIT_OP_LOOKUP}, 2},
                                   {{1, MAPAUDIT_OP_LOOKUP}, 1},
                                   {{2, MAPAUDIT_OP_LOOKUP}, 1},
                                   {{3, MAPAUDIT_OP_LOOKUP}, 1}}));
    ASSERT_NE(info(model::other_maps), nullptr);
    EXPECT_EQ(info(model::other_maps)->name, "(other)");
}

TEST_F(Intake, takes_cells_blocks_and_counters_each_once) {
    FakeThreads threads(1);
    threads.counted(0, 1, MAPAUDIT_OP_ASSIGN, 10);  // for an earlier listener
    std::vector<std::uint64_t> taken(1);
    const DomainThreads domain{0, threads, taken};
    reconciler.take_baseline(domain);
    UsdtIntake in = intake(model::Level::sampled);
    model::Counts gained;
    gained.calls = 12;  // 10 of them stale
    in.take_cell({0, 1, 0, 0, MAPAUDIT_OP_ASSIGN}, gained);
    model::Counts strange;
    strange.calls = 99;
    in.take_cell({1, 1, 0, 0, MAPAUDIT_OP_ASSIGN}, strange);  // no such domain
    EXPECT_EQ(totals(), (CallsByOp{{{1, MAPAUDIT_OP_ASSIGN}, 2}}));
    threads.hand_over(0);
    taken[0] = threads.seq(0) | WIRE_TAKEN_SEEN;  // that was it
    threads.timed(0, 2, MAPAUDIT_OP_ERASE);
    threads.counted(0, 1, MAPAUDIT_OP_ASSIGN, 30);
    for (int i = 0; i < 2; ++i) in.take_pending(domain);
    in.take_residual(domain);
    EXPECT_EQ(totals(), (CallsByOp{{{1, MAPAUDIT_OP_ASSIGN}, 32}, {{2, MAPAUDIT_OP_ERASE}, 1}}));
    EXPECT_EQ(ledger.ledger({}).fired, 1u) << "the record of the block; sums of calls are none";
    EXPECT_EQ(ledger.activity({}).counted, 33u);
    EXPECT_TRUE(maps.admission().has(0, 1));
}

TEST_F(Intake, describes_maps_as_their_creation_and_destruction_say) {
    UsdtIntake in = intake();
    wire_create create{};
    create.event = event_of(2);
    create.desc.id = 2;
    std::snprintf(create.desc.name, sizeof create.desc.name, "born");
    in.on_create(create);
    ASSERT_NE(info(2), nullptr);
    EXPECT_EQ(info(2)->name, "born");
    EXPECT_TRUE(info(2)->alive);
    in.on_destroy(destruction(2, 4));
    EXPECT_FALSE(info(2)->alive);
    EXPECT_EQ(info(2)->size, 4u);
}

}  // namespace
}  // namespace mapaudit::sources
