// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "util/run_delays.hpp"

namespace mapaudit {
namespace {

// Two threads that both want one CPU: each waits while the other has it.
TEST(RunDelays, grow_while_threads_wait_for_a_cpu) {
    if (!run_delays_ns({::getpid()})) GTEST_SKIP() << "this kernel does not keep them";
    std::atomic<bool> stop = false;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    const auto spin = [&] {
        (void)::sched_setaffinity(0, sizeof one, &one);
        while (!stop) {
        }
    };
    std::thread first(spin), second(spin);
    const double before = run_delays_ns({::getpid()}).value_or(0);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    double grown = 0;
    while (grown < 10e6 && std::chrono::steady_clock::now() < deadline)
        grown = run_delays_ns({::getpid()}).value_or(0) - before;
    stop = true;
    first.join();
    second.join();
    EXPECT_GE(grown, 10e6);
}

TEST(RunDelays, are_not_known_of_nobody) {
    EXPECT_FALSE(run_delays_ns({}));
    EXPECT_FALSE(run_delays_ns({INT32_MAX})) << "no process has this id";
}

}  // namespace
}  // namespace mapaudit
