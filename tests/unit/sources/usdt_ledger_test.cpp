// SPDX-License-Identifier: Apache-2.0
//
// handled + lost = fired, at any moment of an audit.
#include "sources/usdt/usdt_ledger.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>

namespace mapaudit::sources {
namespace {

std::uint64_t lost_of(const model::Ledger& ledger) {
    std::uint64_t sum = 0;
    for (const auto& loss : ledger.lost) sum += loss.count;
    return sum;
}

void expect_balance(const model::Ledger& ledger) { EXPECT_EQ(ledger.fired, ledger.handled + lost_of(ledger)); }

// The kernel has counted 900 records, handed 60 over, and lost some by each cause.
wire_ledger busy_kernel() {
    wire_ledger kernel{};
    kernel.handled = 900;
    kernel.spilled = 60;
    kernel.fired = 960;
    for (int cause = 0; cause < WIRE_LOSSES; ++cause) {
        kernel.lost[cause] = static_cast<std::uint64_t>(1 << cause);
        kernel.fired += kernel.lost[cause];
    }
    return kernel;
}

TEST(UsdtLedger, balances_while_records_wait_in_the_ring_and_after) {
    const wire_ledger kernel = busy_kernel();
    UsdtLedger ledger;
    expect_balance(ledger.ledger(kernel));
    EXPECT_EQ(ledger.ledger(kernel).handled, 900u);
    ledger.took_spilled(25);
    expect_balance(ledger.ledger(kernel));
    EXPECT_EQ(ledger.ledger(kernel).handled, 925u);
    ledger.took_spilled(35);
    expect_balance(ledger.ledger(kernel));
    EXPECT_EQ(ledger.ledger(kernel).handled, 960u);
    EXPECT_EQ(ledger.ledger(kernel).fired, kernel.fired);
}

TEST(UsdtLedger, what_blocks_held_was_fired_and_handled_here) {
    const wire_ledger kernel = busy_kernel();
    UsdtLedger ledger;
    ledger.took_spilled(60);
    ledger.took_pending(41);
    expect_balance(ledger.ledger(kernel));
    EXPECT_EQ(ledger.ledger(kernel).fired, kernel.fired + 41);
    EXPECT_EQ(ledger.ledger(kernel).handled, 1001u);
}

TEST(UsdtLedger, what_no_library_writes_is_lost_wherever_it_was_found) {
    const wire_ledger kernel = busy_kernel();
    UsdtLedger ledger;
    ledger.took_spilled(60);
    ledger.took_pending(41);
    const std::uint64_t before = lost_of(ledger.ledger(kernel));
    ledger.found_malformed(5);
    expect_balance(ledger.ledger(kernel));
    EXPECT_EQ(lost_of(ledger.ledger(kernel)), before + 5);
    EXPECT_EQ(ledger.ledger(kernel).handled, 996u);
}

TEST(UsdtLedger, names_each_cause_that_there_was_and_no_other) {
    UsdtLedger ledger;
    EXPECT_TRUE(ledger.ledger({}).lost.empty());
    EXPECT_EQ(ledger.ledger(busy_kernel()).lost.size(), std::size_t{WIRE_LOSSES});
    for (int cause = 0; cause < WIRE_LOSSES; ++cause) {
        wire_ledger kernel{};
        kernel.fired = kernel.lost[cause] = 7;
        const model::Ledger one = ledger.ledger(kernel);
        ASSERT_EQ(one.lost.size(), 1u) << cause;
        EXPECT_EQ(one.lost[0].count, 7u);
        EXPECT_FALSE(one.lost[0].cause.empty());
    }
}

TEST(UsdtLedger, tells_a_loss_that_belongs_to_no_map_once) {
    wire_ledger kernel = busy_kernel();
    UsdtLedger ledger;
    const std::uint64_t all = (1u << WIRE_LOSSES) - 1;
    EXPECT_EQ(ledger.newly_lost(kernel), all - kernel.lost[WIRE_LOST_NO_PAGE]) << "which are on their maps' rows";
    EXPECT_EQ(ledger.newly_lost(kernel), 0u);
    ledger.found_malformed(2);
    kernel.lost[WIRE_LOST_RING] += 30;
    kernel.lost[WIRE_LOST_NO_PAGE] += 500;
    EXPECT_EQ(ledger.newly_lost(kernel), 32u);
    EXPECT_EQ(ledger.newly_lost(kernel), 0u);
}

TEST(UsdtLedger, prices_operations_by_the_level_they_were_seen_at) {
    UsdtLedger ledger;
    ledger.took_calls(model::Level::full, 100);
    ledger.took_calls(model::Level::sampled, 30);
    ledger.took_calls(model::Level::events, 4);  // what had been counted until then
    ledger.took_calls(model::Level::full, 1);
    wire_ledger kernel{};
    kernel.batches = 6;
    kernel.event_hits = 2;
    kernel.timed_hits = 4;
    kernel.timed_ns = 1000;
    const model::Activity activity = ledger.activity(kernel);
    EXPECT_EQ(activity.timed, 101u);
    EXPECT_EQ(activity.counted, 34u);
    EXPECT_EQ(activity.batches, 6u);
    EXPECT_EQ(activity.events, 2u);
    EXPECT_DOUBLE_EQ(activity.program_ns, 2000) << "half of the hits were not timed, and took as long";
    kernel.timed_hits = 0;
    EXPECT_EQ(ledger.activity(kernel).program_ns, 0);
}

TEST(UsdtLedger, sums_up_every_figure_of_the_cpus) {
    using Words = std::array<std::uint64_t, sizeof(wire_ledger) / sizeof(std::uint64_t)>;
    Words words;
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = i + 1;
    wire_ledger sum{};
    add_ledger(sum, std::bit_cast<wire_ledger>(words));
    add_ledger(sum, std::bit_cast<wire_ledger>(words));
    const Words summed = std::bit_cast<Words>(sum);
    for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(summed[i], 2 * words[i]) << "word " << i;
}

}  // namespace
}  // namespace mapaudit::sources
