// SPDX-License-Identifier: Apache-2.0
#include "collect/gates.hpp"

#include <gtest/gtest.h>

namespace mapaudit::collect {
namespace {

TEST(Gates, hold_or_fail_by_what_was_asked_for) {
    const Breaches none, lost{3, 0}, conflicts{0, 2}, both{3, 2};
    const Gates nothing, loss{true, false}, conflict{false, true}, everything{true, true};
    for (const Breaches& any : {none, lost, conflicts, both}) EXPECT_EQ(exit_code(nothing, any), 0);
    for (const Gates& any : {nothing, loss, conflict, everything}) EXPECT_EQ(exit_code(any, none), 0);
    EXPECT_EQ(exit_code(loss, lost), 5);
    EXPECT_EQ(exit_code(loss, conflicts), 0);
    EXPECT_EQ(exit_code(loss, both), 5);
    EXPECT_EQ(exit_code(conflict, lost), 0);
    EXPECT_EQ(exit_code(conflict, conflicts), 5);
    EXPECT_EQ(exit_code(conflict, both), 5);
    for (const Breaches& any : {lost, conflicts, both}) EXPECT_EQ(exit_code(everything, any), 5);
}

TEST(Gates, count_a_conflict_once_whatever_rows_it_stands_in) {
    model::Report total;
    model::Row all, of_a_cpu, of_a_thread, of_another_map;
    all.conflicts = 5;
    of_a_cpu.conflicts = 5;
    of_a_cpu.cpu = 1;
    of_a_thread.conflicts = 5;
    of_a_thread.tid = 77;
    of_another_map.conflicts = 1;
    of_another_map.fatal_errors = 1;
    total.rows = {all, of_a_cpu, of_a_thread, of_another_map};
    total.ledger.lost = {{"ring full", 11}, {"unreadable", 2}};
    const Breaches breaches = breaches_in(total);
    EXPECT_EQ(breaches.conflicts, 7u);
    EXPECT_EQ(breaches.lost, 13u);
    EXPECT_EQ(breaches_in({}).conflicts, 0u);
    EXPECT_EQ(breaches_in({}).lost, 0u);
}

}  // namespace
}  // namespace mapaudit::collect
