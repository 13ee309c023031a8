// SPDX-License-Identifier: Apache-2.0
//
// What other threads hold when the process ends: the thread that ends it hands it over, while they go on.
#include "recording.hpp"

#include <mapaudit/mutex_map.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

#ifndef MAPAUDIT_NO_PROBES
namespace {

using namespace mapaudit;
using namespace mapaudit_test;

using u64 = std::uint64_t;

// Nothing orders the two threads but the protocol itself: ThreadSanitizer ends the process with another code where one
// of them reads plainly what the other writes.
[[noreturn]] void exit_beside_a_thread_at_work() {
    static auto& map = *new mutex_map<u64, u64>;  // outlives the static objects, as the thread does
    static std::atomic<u64> done = 0;
    new listening(MAPAUDIT_SEM_BATCH);
    std::thread([] {
        for (u64 i = 0;; ++i) {
            map.assign(i % 7, i);
            done.fetch_add(1, std::memory_order_relaxed);
        }
    }).detach();
    while (done.load(std::memory_order_relaxed) < 2 * MAPAUDIT_BATCH) std::this_thread::yield();
    std::exit(0);
}

TEST(FlushAtExit, OtherThreadsGoOnMeanwhile) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(exit_beside_a_thread_at_work(), testing::ExitedWithCode(0), "");
}

TEST(FlushAtExit, TakesWhatAnIdleThreadHolds) {
    mutex_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH);
    std::atomic<mapaudit_thread_block*> block = nullptr;
    std::atomic<bool> looked = false;
    std::thread idle([&] {
        map.assign(1, 1);
        detail::tls_block->deadline = ~u64{0};  // whatever the time, the next record stays
        map.assign(2, 2);
        block = detail::tls_block;
        block.notify_one();
        looked.wait(false);
        EXPECT_EQ(detail::tls_block->flushed, detail::tls_block->seq) << "and at its end it has nothing left";
    });
    block.wait(nullptr);
    const u64 held = block.load()->seq;
    EXPECT_LT(block.load()->flushed, held);
    {
        const std::lock_guard lock(detail::registry_mutex);
        detail::flush_for_owner(*block);
    }
    EXPECT_EQ(block.load()->flushed, held);
    EXPECT_EQ(block.load()->seq, held);
    looked = true;
    looked.notify_one();
    idle.join();
}

// What is handed over is a batch at most, and nothing is taken back, however the two meet.
TEST(FlushAtExit, NeverSetsABusyOwnerBack) {
    mutex_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH);
    std::atomic<mapaudit_thread_block*> block = nullptr;
    std::atomic<bool> done = false;
    std::thread busy([&] {
        map.assign(0, 0);
        mapaudit_thread_block& mine = *detail::tls_block;
        block = &mine;
        block.notify_one();
        u64 last = __atomic_load_n(&mine.flushed, __ATOMIC_RELAXED);
        for (u64 i = 0; i < 50'021 && !testing::Test::HasFailure(); ++i) {
            map.assign(i % 7, i);
            const u64 flushed = __atomic_load_n(&mine.flushed, __ATOMIC_RELAXED);
            EXPECT_GE(flushed, last);
            EXPECT_LE(flushed, mine.seq);
            EXPECT_LT(mine.seq - flushed, MAPAUDIT_BATCH);
            last = flushed;
        }
        done = true;
    });
    block.wait(nullptr);
    while (!done) {
        const std::lock_guard lock(detail::registry_mutex);
        detail::flush_for_owner(*block);
    }
    busy.join();
}

}  // namespace
#endif
