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
    const auto of_others = [] {
        const std::uint64_t own = process_cpu_ns(::getpid());  // first: what it takes meanwhile may only add
        return tree_cpu_ns(::getpid()) - own;
    };
    // Far more than one of the steps that ended children are counted in.
    const char* const busy = "i=0; while [ $i -lt 400000 ]; do i=$((i + 1)); done";
    const std::uint64_t before = of_others();  // other tests in this process have had children as well
    test::Child shell({"sh", "-c", std::string(busy) + "; echo busy; read end"}, test::Child::Input::pipe);
    ASSERT_EQ(shell.read_line(), "busy");
    const std::uint64_t alive = process_cpu_ns(shell.pid());
    // of_others() takes what this process did between its two looks for others' time, `before` too.
    constexpr std::uint64_t own_ns = 10'000'000;
    EXPECT_GE(of_others() + own_ns, before + alive);
    shell.end_input();
    shell.finish();
    constexpr std::uint64_t step_ns = 2 * 10'000'000;  // of user and of system time
    EXPECT_GT(of_others() + step_ns, before + alive);
}

}  // namespace
}  // namespace mapaudit::bench
