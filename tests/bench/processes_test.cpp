// SPDX-License-Identifier: Apache-2.0
#include "processes.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "support/child.hpp"

namespace mapaudit::bench {
namespace {

TEST(Processes, ChildrenAreFoundWhileTheyAreThere) {
    test::Child child({"cat"}, test::Child::Input::pipe);
    const pid_t pid = child.pid();
    EXPECT_THAT(children_of(::getpid()), testing::Contains(pid));
    child.end_input();
    EXPECT_EQ(child.finish().exit_code, 0);
    EXPECT_THAT(children_of(::getpid()), testing::Not(testing::Contains(pid)));
    EXPECT_EQ(process_cpu_ns(pid), 0u);
}

TEST(Processes, CpuTimeOfThoseThatEndedStays) {
    EXPECT_GT(process_cpu_ns(::getpid()), 0u);
    // This process itself goes on between the two looks: its share first may only add, its share last only take away.
    const auto at_most_of_others = [] {
        const std::uint64_t own = process_cpu_ns(::getpid());
        return static_cast<std::int64_t>(tree_cpu_ns(::getpid()) - own);
    };
    const auto at_least_of_others = [] {
        const std::uint64_t all = tree_cpu_ns(::getpid());
        return static_cast<std::int64_t>(all - process_cpu_ns(::getpid()));
    };
    // Far more than one of the steps that ended children are counted in.
    const char* const busy = "i=0; while [ $i -lt 400000 ]; do i=$((i + 1)); done";
    // Other tests in this process have had children as well.
    const std::int64_t least_before = at_least_of_others(), before = at_most_of_others();
    test::Child shell({"sh", "-c", std::string(busy) + "; echo busy; read end"}, test::Child::Input::pipe);
    ASSERT_EQ(shell.read_line(), "busy");
    const auto alive = static_cast<std::int64_t>(process_cpu_ns(shell.pid()));
    EXPECT_GE(at_most_of_others() - least_before, alive);
    shell.end_input();
    shell.finish();
    constexpr std::int64_t step_ns = 2 * 10'000'000;  // of user and of system time
    EXPECT_GT(at_most_of_others() + step_ns, before + alive);
}

}  // namespace
}  // namespace mapaudit::bench
