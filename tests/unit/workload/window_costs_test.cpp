// SPDX-License-Identifier: Apache-2.0
#include "window_costs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace mapaudit::workload {
namespace {

class Windows : public testing::Test {
protected:
    Windows() { operation_ends_wanted = true; }
    ~Windows() override { operation_ends_wanted = false; }
};

void spend(std::uint64_t how_many_ticks) {
    for (const std::uint64_t start = ticks(); ticks() - start < how_many_ticks;) {
    }
}

TEST_F(Windows, WithoutAnAuditTheWindowIsTheCall) {
    const WindowCosts::Costs costs{10, 1'000'000'000'000, 1'000'000'000'000};
    const OperationWindow window(costs);
    spend(100'000);
    EXPECT_GE(window.close().latency, 100'000u - 10);
}

// What the auditor does when the operation is over (here: long and in vain) is its own part.
TEST_F(Windows, WhatComesAfterTheOperationIsNoPartOfIt) {
    const WindowCosts::Costs costs{1'000'000'000'000, 1'000'000'000'000, 10};
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < 100; ++i) {  // the least: an interrupt may fall into any of them
        const OperationWindow window(costs);
        spend(1'000);
        detail::operation_ended(true);
        spend(1'000'000);
        least = std::min(least, window.close().latency);
    }
    EXPECT_GE(least, 1'000u - 10);
    EXPECT_LT(least, 500'000u);
}

TEST_F(Windows, EachHasItsOwnCost) {
    const WindowCosts::Costs costs{0, 0, 1'000'000'000'000};
    const OperationWindow timed(costs);
    detail::operation_ended(true);
    const OperationWindow::Closed at_once = timed.close();
    EXPECT_EQ(at_once.latency, 0u);
    EXPECT_TRUE(at_once.audited);
    const OperationWindow untimed(costs);
    spend(1'000);
    detail::operation_ended(false);
    const OperationWindow::Closed closed = untimed.close();
    EXPECT_GE(closed.latency, 1'000u);
    EXPECT_FALSE(closed.audited);
}

TEST_F(Windows, AnAuditThatReadsTheClockCostsMost) {
    std::vector<std::uint64_t> untimed, timed;
    WindowCosts costs;
    for (std::uint64_t i = 0; i < 101; ++i) {
        const WindowCosts::Costs now = costs.at(i * 4096);
        untimed.push_back(now[static_cast<unsigned>(Audit::untimed)]);
        timed.push_back(now[static_cast<unsigned>(Audit::timed)]);
    }
    std::ranges::sort(untimed);
    std::ranges::sort(timed);
    EXPECT_GT(timed[50], untimed[50]);
}

}  // namespace
}  // namespace mapaudit::workload
