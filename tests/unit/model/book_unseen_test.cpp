// SPDX-License-Identifier: Apache-2.0
//
// Time in which operations were not seen: rows say that they are estimates, and totals stay the sum of the intervals.
#include <gtest/gtest.h>

#include "model/book.hpp"
#include "unit/model/book_samples.hpp"

namespace mapaudit::model {
namespace {

TEST(BookUnseen, a_partly_seen_interval_is_scaled_and_an_unseen_one_goes_on_at_the_last_rate) {
    Book book({});
    book.describe({7, 0, 1}, info_of("m"));
    const auto hundred_calls = [&](mapaudit_op op) {
        Counts counts = counts_of({10, 20, 30, 40});
        counts.calls = 100;
        book.add(cell(1, op), counts);
    };
    hundred_calls(MAPAUDIT_OP_LOOKUP);
    const std::vector<Row> whole = book.close_interval(1);
    ASSERT_EQ(whole.size(), 1u);
    EXPECT_FALSE(whole[0].estimated);
    EXPECT_EQ(whole[0].calls, 100u);

    hundred_calls(MAPAUDIT_OP_LOOKUP);
    hundred_calls(MAPAUDIT_OP_GROW);
    book.add_unseen(0.75);
    const std::vector<Row> part = book.close_interval(1);
    ASSERT_EQ(part.size(), 2u);
    EXPECT_TRUE(part[0].estimated);
    EXPECT_EQ(part[0].calls, 400u);
    EXPECT_DOUBLE_EQ(part[0].calls_per_s, 400);
    EXPECT_DOUBLE_EQ(part[0].weight, 100);  // four were timed
    EXPECT_EQ(part[0].p50_ns, 20.0);
    EXPECT_FALSE(part[1].estimated) << "growth is always seen";
    EXPECT_EQ(part[1].calls, 100u);

    book.add_unseen(2);
    const std::vector<Row> nothing = book.close_interval(2);
    EXPECT_TRUE(nothing[0].estimated);
    EXPECT_EQ(nothing[0].calls, 800u);
    EXPECT_FALSE(nothing[0].p50_ns);

    const std::vector<Row> seen_again = book.close_interval(1);
    EXPECT_FALSE(seen_again[0].estimated);
    EXPECT_EQ(seen_again[0].calls, 0u);

    const std::vector<Row> totals = book.totals(5);
    EXPECT_TRUE(totals[0].estimated);
    EXPECT_EQ(totals[0].calls, 100u + 400 + 800);
    EXPECT_FALSE(totals[1].estimated);
}

}  // namespace
}  // namespace mapaudit::model
