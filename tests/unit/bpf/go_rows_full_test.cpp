// SPDX-License-Identifier: Apache-2.0
//
// A Go program's operations and growths where tables are full, and random sequences of them.
#include <random>

#include "go_host.hpp"

namespace mapaudit::test {
namespace {

TEST(GoRows, operations_without_a_row_by_map_are_counted_by_place) {
    GoHost host({.calls = 1});
    const Goroutine goroutine(1);
    const GoMap first, second, third;
    for (const GoMap* map : {&first, &second, &third}) host.begin(goroutine, *map, MAPAUDIT_OP_LOOKUP);
    host.expect_balance(3);
    EXPECT_EQ(host.lost(), 0u);
    EXPECT_EQ(host.calls().calls, 3u);
    const auto by_place = host.kernel.map("call_spills").rows<wire_go_calls_key, wire_go_calls>();
    ASSERT_EQ(by_place.size(), 1u);
    EXPECT_EQ(by_place[0].second.calls, 2u);
    EXPECT_EQ(by_place[0].first.map, 0u);
}

TEST(GoRows, operations_without_any_row_are_lost) {
    GoHost host({.calls = 1, .sites = 1});
    const Goroutine goroutine(1);
    const GoMap first, second;
    host.begin(goroutine, first, MAPAUDIT_OP_LOOKUP);
    host.begin(goroutine, second, MAPAUDIT_OP_LOOKUP);  // takes the row by place and kind
    host.begin(goroutine, second, MAPAUDIT_OP_ASSIGN);
    host.expect_balance(3);
    EXPECT_EQ(host.ledger().lost[WIRE_GO_LOST_CALLS], 1u);
    EXPECT_EQ(host.calls().calls, 2u);
}

TEST(GoRows, an_operation_whose_map_cannot_be_read_is_counted_by_its_caller) {
    GoHost host;
    const Goroutine goroutine(1);
    GoMap map;
    map.head.log2_buckets = WIRE_GO_LARGEST_LOG2;  // is no map
    host.begin(goroutine, map, MAPAUDIT_OP_LOOKUP);
    map.head.log2_buckets = 3;
    host.kernel.hide(&map.head, sizeof map.head);
    host.begin(goroutine, map, MAPAUDIT_OP_LOOKUP);
    host.end(goroutine);
    host.expect_balance(2);
    EXPECT_EQ(host.calls().calls, 2u);
    EXPECT_EQ(host.calls().timed, 1u);
    EXPECT_EQ(host.kernel.map("used").size(), 0u);
}

TEST(GoRows, a_growth_of_unreadable_memory_is_lost) {
    GoHost host;
    const Goroutine goroutine(1);
    GoMap map;
    host.grow(goroutine, 0);
    map.head.flags = 0x10;
    host.grow(goroutine, map.address());
    host.expect_balance(2);
    EXPECT_EQ(host.ledger().lost[WIRE_GO_LOST_UNREADABLE], 2u);
}

TEST(GoRows, growths_without_a_row_are_counted_by_place_on_their_CPU_or_lost) {
    GoHost host({.sites = 1, .growths = 1});
    const Goroutine goroutine(1);
    const GoMap first, second, third;
    for (const GoMap* map : {&first, &second, &third}) host.grow(goroutine, map->address());
    host.kernel.cpu = 1;
    host.grow(goroutine, third.address());
    host.expect_balance(4);
    EXPECT_EQ(host.lost(), 0u);
    EXPECT_EQ(host.kernel.map("growths_even").size(), 1u);
    const wire_go_site_key place{};
    std::uint64_t by_place = 0;
    for (host.kernel.cpu = 0; host.kernel.cpu < FakeKernel::cpus; ++host.kernel.cpu)
        by_place += host.kernel.at<wire_go_spill>("spills", place).same_size;
    EXPECT_EQ(by_place, 3u);
    host.kernel.cpu = 0;
    host.kernel.map("spills").resize(0);
    host.kernel.map("spills").erase(&place);
    host.grow(goroutine, third.address());
    host.expect_balance(5);
    EXPECT_EQ(host.ledger().lost[WIRE_GO_LOST_TABLES], 1u);
}

// Goroutines enter, leave, panic and vanish at random. What a model of nothing but calls can say must hold: each is
// handled or lost, timed or not, and at the end nobody is inside.
class RandomGoroutines : public ::testing::TestWithParam<unsigned> {};

TEST_P(RandomGoroutines, every_operation_is_accounted_for) {
    GoHost host({.calls = 12, .sites = 2, .inside = 6, .used = 3});
    std::mt19937 random(GetParam());
    const auto below = [&](unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random); };
    std::vector<Goroutine> goroutines;
    for (unsigned i = 1; i <= 8; ++i) goroutines.emplace_back(i);
    std::vector<GoMap> maps(4);
    static constexpr unsigned ops[] = {MAPAUDIT_OP_ASSIGN, MAPAUDIT_OP_LOOKUP, MAPAUDIT_OP_ERASE, MAPAUDIT_OP_WHOLE};
    std::uint64_t fired = 0;
    for (int i = 0; i < 10'000; ++i) {
        host.kernel.cpu = below(FakeKernel::cpus);
        const Goroutine& goroutine = goroutines[below(8)];
        switch (below(8)) {
            case 0: host.begin(goroutine, maps[below(4)], MAPAUDIT_OP_WHOLE, WIRE_GO_STEP); break;
            case 1: host.end(goroutine, WIRE_GO_STEP_RETURN); break;
            case 2: host.end(goroutine, WIRE_GO_PANIC); break;
            case 3:
            case 4: host.end(goroutine); break;
            default: host.begin(goroutine, maps[below(4)], ops[below(4)]); ++fired;
        }
        if (i % 500 == 0) (void)host.conflicts();
    }
    for (const Goroutine& goroutine : goroutines) host.end(goroutine, WIRE_GO_PANIC);
    host.expect_balance(fired);
    const wire_go_ledger ledger = host.ledger();
    EXPECT_EQ(host.calls().calls, ledger.handled);
    EXPECT_EQ(host.calls().timed + ledger.untimed, fired);
    EXPECT_GT(host.calls().timed, 0u);
    EXPECT_GT(host.calls().conflicts, 0u);
    EXPECT_GT(ledger.lost[WIRE_GO_LOST_CALLS], 0u);
    EXPECT_EQ(host.kernel.map("inside").size(), 0u);
    for (const GoMap& map : maps) {
        EXPECT_EQ(map.users().writer, 0u);
        EXPECT_EQ(map.users().readers, 0u);
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGoroutines, ::testing::Range(1u, 6u));

}  // namespace
}  // namespace mapaudit::test
