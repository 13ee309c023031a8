// SPDX-License-Identifier: Apache-2.0
//
// Events off the wire, whole, cut short and lying; records of a spill; growths that overtook one another.
#include "sources/usdt/usdt_events.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "sources/usdt/usdt_growths.hpp"
#include "sources/usdt/usdt_records.hpp"
#include "unit/sources/usdt_target.hpp"

namespace mapaudit::sources {
namespace {

class Noted final : public UsdtEventHandler {
public:
    void on_spill(const wire_event&, std::span<const mapaudit_record> records) override {
        for (const mapaudit_record& record : records) sum += record.latency;  // all of them can be read
        told.push_back("spill " + std::to_string(records.size()));
    }
    void on_grow(const wire_grow& grow) override { told.push_back("grow " + std::to_string(grow.number)); }
    void on_conflict(const wire_conflict& conflict) override {
        told.push_back("conflict " + std::to_string(conflict.other_tid));
    }
    void on_stack(const wire_stack& stack) override {
        told.push_back("stack " + std::to_string(stack.memory[WIRE_STACK_BYTES - 1]));
    }
    void on_create(const wire_create& create) override {
        told.push_back("create " + std::to_string(create.desc.flags));
    }
    void on_destroy(const wire_destroy& destroy) override {
        told.push_back("destroy " + std::to_string(destroy.grows));
    }

    std::vector<std::string> told;
    std::uint64_t sum = 0;
};

// What is told of the first `bytes` bytes of an event, in memory of just that size.
std::vector<std::string> told_of(const void* event, std::size_t bytes, std::uint32_t domains = 2) {
    const auto copy = std::make_unique<std::uint64_t[]>((bytes + 7) / 8);
    std::memcpy(copy.get(), event, bytes);
    Noted noted;
    dispatch(*reinterpret_cast<const wire_event*>(copy.get()), bytes, domains, noted);
    return noted.told;
}

template <class Event>
std::unique_ptr<Event> made(wire_event_type type, std::uint32_t domain = 0) {
    auto event = std::make_unique<Event>();
    event->event.type = type;
    event->event.domain = domain;
    return event;
}

using Told = std::vector<std::string>;

// Whole it is told, one byte short it is not.
template <class Event>
void expect_told(const Event& event, const std::string& what) {
    EXPECT_EQ(told_of(&event, sizeof event), Told{what});
    EXPECT_EQ(told_of(&event, sizeof event - 1), Told{}) << what;
    EXPECT_EQ(told_of(&event, sizeof(wire_event)), Told{}) << what;
}

TEST(Events, of_each_type_go_to_their_function_and_those_cut_short_to_none) {
    auto spill = made<wire_spill>(WIRE_EVENT_SPILL);
    spill->count = 3;
    expect_told(*spill, "spill 3");
    auto grow = made<wire_grow>(WIRE_EVENT_GROW);
    grow->number = 17;
    expect_told(*grow, "grow 17");
    auto conflict = made<wire_conflict>(WIRE_EVENT_CONFLICT);
    conflict->other_tid = 18;
    expect_told(*conflict, "conflict 18");
    auto stack = made<wire_stack>(WIRE_EVENT_STACK);
    stack->memory[WIRE_STACK_BYTES - 1] = 19;
    expect_told(*stack, "stack 19");
    auto create = made<wire_create>(WIRE_EVENT_CREATE);
    create->desc.flags = 20;
    expect_told(*create, "create 20");
    auto destroy = made<wire_destroy>(WIRE_EVENT_DESTROY);
    destroy->grows = 21;
    expect_told(*destroy, "destroy 21");
}

TEST(Events, a_spill_has_no_more_records_than_a_batch) {
    auto spill = made<wire_spill>(WIRE_EVENT_SPILL);
    for (const std::uint64_t claimed :
         {std::uint64_t{MAPAUDIT_BATCH}, std::uint64_t{MAPAUDIT_BATCH} + 1, ~std::uint64_t{0}}) {
        spill->count = claimed;
        EXPECT_EQ(told_of(spill.get(), sizeof *spill), Told{"spill " + std::to_string(MAPAUDIT_BATCH)}) << claimed;
    }
    spill->count = 0;
    EXPECT_EQ(told_of(spill.get(), sizeof *spill), Told{"spill 0"});
}

TEST(Events, of_no_known_type_or_domain_are_left_alone) {
    const auto grow = made<wire_grow>(WIRE_EVENT_GROW, 1);
    EXPECT_EQ(told_of(grow.get(), sizeof *grow, 2), Told{"grow 0"});
    EXPECT_EQ(told_of(grow.get(), sizeof *grow, 1), Told{});
    for (const std::uint32_t type : {0u, std::uint32_t{WIRE_EVENT_EVACUATE}, 8u, ~0u}) {
        auto other = made<wire_spill>(static_cast<wire_event_type>(type));
        EXPECT_EQ(told_of(other.get(), sizeof *other), Told{}) << type;
    }
    const std::uint64_t word = WIRE_EVENT_SPILL;
    EXPECT_EQ(told_of(&word, sizeof word), Told{}) << "not even an event's head";
    EXPECT_EQ(told_of(&word, 0), Told{});
}

TEST(Records, are_summed_up_by_map_and_operation) {
    std::vector<mapaudit_record> records{record_of(1, MAPAUDIT_OP_ASSIGN, 100),
                                         record_of(1, MAPAUDIT_OP_ASSIGN, 300, MAPAUDIT_REC_MIGRATED),
                                         record_of(1, MAPAUDIT_OP_LOOKUP, 7, MAPAUDIT_REC_SAMPLED),
                                         record_of(2, MAPAUDIT_OP_ERASE, 1000, MAPAUDIT_REC_COUNT),
                                         record_of(2, MAPAUDIT_OP_ERASE, 50, MAPAUDIT_REC_GREW)};
    records[0].wait = 60;
    records.push_back(record_of(2, MAPAUDIT_OP_ERASE, 0, MAPAUDIT_REC_COUNT));
    records.back().wait = 90;
    const RecordSums sums = sum_records(records);
    ASSERT_EQ(sums.ops.size(), 3u);
    EXPECT_EQ(sums.malformed, 0u);
    const model::Counts& assigned = sums.ops.at({1, MAPAUDIT_OP_ASSIGN}).counts;
    EXPECT_EQ(assigned.calls, 2u);
    EXPECT_EQ(assigned.latency.count(), 2u);
    EXPECT_EQ(assigned.latency_sum, 400u);
    EXPECT_EQ(assigned.latency_max, 300u);
    EXPECT_EQ(assigned.migrations, 1u);
    EXPECT_EQ(assigned.waits, 1u);
    EXPECT_EQ(assigned.wait_sum, 60u);
    EXPECT_EQ(assigned.wait.count(), 1u);
    const model::Counts& looked_up = sums.ops.at({1, MAPAUDIT_OP_LOOKUP}).counts;
    EXPECT_EQ(looked_up.calls, 0u) << "the call is in a sum of its own";
    EXPECT_EQ(looked_up.latency.count(), 1u);
    const RecordSums::Op& erased = sums.ops.at({2, MAPAUDIT_OP_ERASE});
    EXPECT_EQ(erased.counted, 1000u);
    EXPECT_EQ(erased.counts.waits, 1u) << "of a call that was only counted";
    EXPECT_EQ(erased.counts.wait_sum, 90u);
    EXPECT_EQ(erased.counts.calls, 1u);
    EXPECT_EQ(erased.counts.latency_sum, 50u);
    EXPECT_EQ(erased.counts.grew.count(), 1u);
    EXPECT_EQ(erased.counts.grew_sum, 50u);
}

TEST(Records, of_long_operations_are_in_units_of_256_ticks) {
    mapaudit_record record = record_of(1, MAPAUDIT_OP_ASSIGN, 0xffffffff, MAPAUDIT_REC_SCALED);
    record.wait = 0x80000000;
    record.bucket = static_cast<std::uint16_t>(mapaudit_bucket(std::uint64_t{0xffffffff} << 8));
    const RecordSums sums = sum_records(std::span(&record, 1));
    const model::Counts& counts = sums.ops.at({1, MAPAUDIT_OP_ASSIGN}).counts;
    EXPECT_EQ(counts.latency_sum, std::uint64_t{0xffffffff} << 8);
    EXPECT_EQ(counts.wait_sum, std::uint64_t{0x80000000} << 8);
}

TEST(Records, that_no_library_writes_are_counted_and_left_out) {
    std::vector<mapaudit_record> records(4, record_of(1, MAPAUDIT_OP_ASSIGN, 5));
    records[0].op = MAPAUDIT_HOT_OPS;
    records[1].bucket = MAPAUDIT_BUCKETS;
    records[2].map = 0;
    const RecordSums sums = sum_records(records);
    EXPECT_EQ(sums.malformed, 3u);
    ASSERT_EQ(sums.ops.size(), 1u);
    EXPECT_EQ(sums.ops.begin()->second.counts.calls, 1u);
}

GrowEvent growth(std::uint32_t map, std::uint32_t part, std::uint32_t number, std::uint64_t old_buckets = 0) {
    GrowEvent grow;
    grow.map = {1, 0, map};
    grow.part = part;
    grow.number = number;
    grow.old_buckets = old_buckets;
    return grow;
}

TEST(Growths, that_overtook_one_another_are_put_back_in_the_places_of_their_table) {
    std::vector<GrowEvent> growths{growth(1, 0, 2), growth(2, 0, 9), growth(1, 1, 1),
                                   growth(1, 0, 3), growth(1, 0, 1), growth(2, 0, 8)};
    put_in_order(growths);
    std::vector<std::string> order;
    for (const GrowEvent& grow : growths)
        order.push_back(std::to_string(grow.map.id) + "." + std::to_string(grow.part) + " #" +
                        std::to_string(grow.number));
    EXPECT_EQ(order, (Told{"1.0 #1", "2.0 #8", "1.1 #1", "1.0 #2", "1.0 #3", "2.0 #9"}));
}

TEST(Growths, that_are_not_numbered_stay_as_they_came) {
    std::vector<GrowEvent> growths{growth(1, 0, 0, 64), growth(1, 0, 0, 8), growth(1, 0, 0, 16)};
    put_in_order(growths);
    EXPECT_EQ(growths[0].old_buckets, 64u);
    EXPECT_EQ(growths[1].old_buckets, 8u);
    EXPECT_EQ(growths[2].old_buckets, 16u);
    growths.clear();
    put_in_order(growths);
    EXPECT_TRUE(growths.empty());
}

}  // namespace
}  // namespace mapaudit::sources
