// SPDX-License-Identifier: Apache-2.0
//
// Evidence of who waited for whom: the stack of the one waited for is published before, after or during the event that
// names it, and no event is counted twice or not at all.
#include "usdt_host.hpp"

namespace mapaudit::test {
namespace {

constexpr std::uint32_t map_id = 7, owner = 55;
constexpr std::uint64_t own_stack = 0x1001, other_stack = 0x2001;

class Counterparts : public ::testing::Test {
protected:
    struct Sums {
        std::uint64_t count = 0, total_ns = 0, max_ns = 0;
        bool operator==(const Sums&) const = default;
    };
    // By the other's stack, of all own stacks.
    Sums with(std::uint64_t other) {
        Sums sums;
        for (const auto& [key, row] : host_.kernel.map("evidence").rows<wire_evidence_key, wire_evidence>()) {
            if (key.other_stack != other) continue;
            sums.count += row.count;
            sums.total_ns += row.total_ns;
            if (row.count != 0) sums.max_ns = std::max<std::uint64_t>(sums.max_ns, row.max_ns);
        }
        return sums;
    }
    int meet(std::uint64_t ns, std::uint64_t since, std::uint64_t stack = own_stack) {
        return usdt_meet(map_id, owner, stack, ns, since);
    }
    std::uint64_t now() const { return host_.kernel.time_ns; }

    UsdtHost host_;
};

TEST_F(Counterparts, a_stack_published_since_the_wait_began_is_the_one_waited_for) {
    const std::uint64_t since = now();
    usdt_publish(map_id, owner, other_stack);
    EXPECT_TRUE(meet(40, since));
    EXPECT_EQ(with(other_stack), (Sums{1, 40, 40}));
    EXPECT_EQ(with(0), Sums());
}

TEST_F(Counterparts, a_stack_from_before_the_wait_is_not) {
    usdt_publish(map_id, owner, other_stack);
    meet(40, now() + 1);
    EXPECT_EQ(with(0), (Sums{1, 40, 40}));
    EXPECT_EQ(with(other_stack), Sums());
}

TEST_F(Counterparts, pending_events_are_given_the_stack_once_it_is_published) {
    meet(40, now());
    meet(60, now());
    EXPECT_EQ(with(0), (Sums{2, 100, 60}));
    usdt_publish(map_id, owner, other_stack);
    EXPECT_EQ(with(0), Sums());
    EXPECT_EQ(with(other_stack), (Sums{2, 100, 60}));
    usdt_publish(map_id, owner, other_stack + 2);  // nothing is pending any more
    EXPECT_EQ(with(other_stack), (Sums{2, 100, 60}));
    EXPECT_EQ(with(other_stack + 2), Sums());
}

TEST_F(Counterparts, another_maps_or_threads_stack_is_not_taken) {
    meet(40, now());
    usdt_publish(map_id + 1, owner, other_stack);
    usdt_publish(map_id, owner + 1, other_stack);
    EXPECT_EQ(with(0), (Sums{1, 40, 40}));
}

TEST_F(Counterparts, callers_beyond_the_pending_rows_stay_without_the_stack) {
    constexpr std::uint64_t callers = 10, rows = 8;
    for (std::uint64_t caller = 0; caller < callers; ++caller) meet(1, now(), own_stack + 2 * caller);
    for (std::uint64_t caller = 0; caller < callers; ++caller) meet(1, now(), own_stack + 2 * caller);
    usdt_publish(map_id, owner, other_stack);
    EXPECT_EQ(with(other_stack).count, 2 * rows);
    EXPECT_EQ(with(0).count, 2 * (callers - rows));
}

// Publisher and waiter at once: whichever atomic operation of the waiter's the publication falls before, the event
// ends up with the stack, once.
TEST_F(Counterparts, a_stack_published_at_any_moment_of_the_event_is_taken) {
    int steps = 0;
    host_.kernel.before_atomic = [&](const volatile void*) { ++steps; };
    meet(40, now());
    ASSERT_GE(steps, 5);
    for (int at = 1; at <= steps; ++at) {
        UsdtHost host;
        int step = 0;
        host.kernel.before_atomic = [&](const volatile void*) {
            if (++step != at) return;
            host.kernel.before_atomic = nullptr;
            usdt_publish(map_id, owner, other_stack);
        };
        usdt_meet(map_id, owner, own_stack, 40, host.kernel.time_ns);
        std::uint64_t unknown = 0, known = 0;
        for (const auto& [key, row] : host.kernel.map("evidence").rows<wire_evidence_key, wire_evidence>())
            (key.other_stack == other_stack ? known : unknown) += row.count;
        EXPECT_EQ(known, 1u) << "published before step " << at;
        EXPECT_EQ(unknown, 0u) << "published before step " << at;
    }
}

// And the other way round: a waiter at any moment of a publication.
TEST_F(Counterparts, an_event_at_any_moment_of_the_publication_is_given_the_stack) {
    for (int at = 1; at <= 6; ++at) {
        UsdtHost host;
        int step = 0, met = 1;
        usdt_meet(map_id, owner, own_stack, 1, host.kernel.time_ns);
        host.kernel.before_atomic = [&](const volatile void*) {
            if (++step != at) return;
            host.kernel.before_atomic = nullptr;
            usdt_meet(map_id, owner, own_stack, 1, host.kernel.time_ns);
            ++met;
        };
        usdt_publish(map_id, owner, other_stack);
        host.kernel.before_atomic = nullptr;
        std::uint64_t known = 0, all = 0;
        for (const auto& [key, row] : host.kernel.map("evidence").rows<wire_evidence_key, wire_evidence>()) {
            all += row.count;
            if (key.other_stack == other_stack) known += row.count;
        }
        EXPECT_EQ(met, 2) << at;
        EXPECT_EQ(all, 2u) << "met before step " << at;
        EXPECT_EQ(known, 2u) << "met before step " << at;
    }
}

TEST_F(Counterparts, a_full_table_drops_the_row_and_says_so) {
    host_.kernel.map("evidence").resize(2);
    EXPECT_TRUE(meet(1, now(), 1));
    EXPECT_TRUE(meet(1, now(), 3));
    EXPECT_FALSE(meet(1, now(), 5));
    usdt_publish(map_id, owner, other_stack);  // no room to move the two to
    EXPECT_EQ(with(0).count, 2u);
    EXPECT_EQ(with(other_stack).count, 0u);
    host_.hit(WIRE_GROW, {map_id, 8, 16, 100, MAPAUDIT_GROW_LOAD, 0});
    EXPECT_EQ(host_.ledger().evidence_dropped, 1u);
    host_.expect_balance(1);  // the growth itself is counted
}

// The table of counterparts forgets the oldest, and gives its memory to another: what was pending in it stays where it
// was counted.
TEST_F(Counterparts, a_forgotten_counterpart_takes_no_count_with_it) {
    host_.kernel.map("counterparts").resize(1);
    meet(40, now());
    usdt_publish(map_id + 1, owner, other_stack);  // evicts
    usdt_publish(map_id, owner, other_stack);
    EXPECT_EQ(with(0), (Sums{1, 40, 40}));
    EXPECT_EQ(with(other_stack), Sums());
}

// An event is being added to a counterpart whose memory is given away at this moment: it is then pending with a
// stranger, whose stack it must not be given.
TEST_F(Counterparts, an_event_pending_with_a_stranger_is_not_moved) {
    host_.kernel.map("counterparts").resize(1);
    int step = 0;
    host_.kernel.before_atomic = [&](const volatile void*) {
        if (++step != 3) return;  // the row of evidence is done, the pending one is not
        host_.kernel.before_atomic = nullptr;
        usdt_publish(map_id + 1, owner + 1, other_stack + 2);
    };
    meet(40, now() + 1000);
    ASSERT_EQ(host_.kernel.before_atomic, nullptr);
    usdt_publish(map_id + 1, owner + 1, other_stack);
    EXPECT_EQ(with(0), (Sums{1, 40, 40}));
    EXPECT_EQ(with(other_stack).count + with(other_stack + 2).count, 0u);
}

}  // namespace
}  // namespace mapaudit::test
