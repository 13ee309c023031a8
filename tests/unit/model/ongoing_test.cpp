// SPDX-License-Identifier: Apache-2.0
#include "model/ongoing.hpp"

#include <gtest/gtest.h>

namespace mapaudit::model {
namespace {

constexpr std::uint64_t lookup = 7;

OffCpu sleeper(std::uint32_t tid, std::uint64_t since_ns) { return {tid, since_ns, lookup, false, true, false}; }

Gained ended(std::uint64_t slept_ns) {
    Gained gained;
    gained[lookup].sleeps = 1;
    gained[lookup].slept_ns = gained[lookup].lock_slept_ns = slept_ns;
    return gained;
}

TEST(Ongoing, a_long_sleep_is_told_as_it_goes_and_once_in_all) {
    Ongoing ongoing;
    std::uint64_t told = 0;
    for (const std::uint64_t now : {150u, 250u, 350u}) {
        Gained gained;
        ongoing.settle({sleeper(1, 100)}, now, gained);
        told += gained[lookup].slept_ns;
        EXPECT_EQ(told, now - 100);
        EXPECT_EQ(gained[lookup].lock_slept_ns, gained[lookup].slept_ns);
    }
    Gained gained = ended(300);  // it woke up at 400
    ongoing.settle({}, 450, gained);
    EXPECT_EQ(told + gained[lookup].slept_ns, 300u);
    EXPECT_EQ(gained[lookup].sleeps, 1u);
}

TEST(Ongoing, the_next_sleep_of_a_thread_is_another) {
    Ongoing ongoing;
    Gained first;
    ongoing.settle({sleeper(1, 100)}, 200, first);
    EXPECT_EQ(first[lookup].slept_ns, 100u);
    Gained second = ended(150);  // until 250
    ongoing.settle({sleeper(1, 260)}, 300, second);
    EXPECT_EQ(first[lookup].slept_ns + second[lookup].slept_ns, 150u + 40u);
}

TEST(Ongoing, what_the_kernel_has_not_counted_yet_is_taken_back_later) {
    Ongoing ongoing;
    Gained gained;
    ongoing.settle({sleeper(1, 100)}, 200, gained);
    Gained early;  // its end is not in yet
    ongoing.settle({}, 300, early);
    EXPECT_EQ(early[lookup].slept_ns, 0u);
    Gained late = ended(120);
    ongoing.settle({}, 400, late);
    EXPECT_EQ(late[lookup].slept_ns, 20u);
}

TEST(Ongoing, preempted_with_the_lock_and_asleep_without_are_told_apart) {
    Ongoing ongoing;
    Gained gained;
    ongoing.settle(
        {{1, 0, lookup, true, false, true}, {2, 0, lookup, true, false, false}, {3, 0, 9, false, false, true}}, 10,
        gained);
    EXPECT_EQ(gained[lookup].preempted_ns, 20u);
    EXPECT_EQ(gained[lookup].lock_preempted_ns, 10u);
    EXPECT_EQ(gained[lookup].slept_ns, 0u);
    EXPECT_EQ(gained[9].slept_ns, 10u);
    EXPECT_EQ(gained[9].lock_slept_ns, 0u);
}

TEST(Ongoing, a_clock_a_moment_behind_is_no_time) {
    Ongoing ongoing;
    Gained gained;
    ongoing.settle({sleeper(1, 100)}, 99, gained);
    EXPECT_EQ(gained[lookup].slept_ns, 0u);
}

}  // namespace
}  // namespace mapaudit::model
