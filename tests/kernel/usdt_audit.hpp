// SPDX-License-Identifier: Apache-2.0
//
// What tests that attach a usdt source of their own ask of it and of its aggregator.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <thread>

#include "model/aggregator.hpp"
#include "model/report.hpp"

namespace mapaudit::test {

// Waits for a condition with a limit; a condition that never comes is a failure with its name.
inline void wait_until(const char* what, const std::function<bool()>& condition,
                       std::chrono::seconds limit = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain for: " << what;
        std::this_thread::yield();
    }
}

// Operations so far: of all maps, or of those of that name.
inline std::uint64_t calls_of(model::Aggregator& aggregator, std::string_view map = {}) {
    std::uint64_t calls = 0;
    for (const model::Row& row : aggregator.totals(1))
        if (row.op != model::Op::grow && (map.empty() || row.map->name == map)) calls += row.calls;
    return calls;
}

inline void expect_balance(const model::Ledger& ledger) {
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost_total());
    for (const model::Loss& loss : ledger.lost) ADD_FAILURE() << loss.count << " lost: " << loss.cause;
}

}  // namespace mapaudit::test
