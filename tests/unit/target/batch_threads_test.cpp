// SPDX-License-Identifier: Apache-2.0
//
// Whose records are whose, and what becomes of them at a thread's end.
#include "batch_fixture.hpp"

#include <mapaudit/mutex_map.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#ifndef MAPAUDIT_NO_PROBES
namespace {

using namespace mapaudit;
using namespace mapaudit_test;

using u64 = std::uint64_t;

using BatchThreads = Batch;

struct thread_trace {
    mapaudit_thread_block* block = nullptr;
    u64 first = 0, seq = 0;
    std::uint32_t tid = 0;
};
thread_trace run_in_a_thread(mutex_map<u64, u64>& map, u64 operations) {
    thread_trace trace;
    std::thread([&] {
        map.assign(0, 0);
        trace.block = detail::tls_block;
        trace.first = trace.block->seq - 1;
        trace.tid = trace.block->tid;
        for (u64 i = 1; i < operations; ++i) map.assign(i, i);
        trace.seq = trace.block->seq;
    }).join();
    return trace;
}

TEST_F(BatchThreads, AThreadsEndHandsOverAndFreesItsBlock) {
    mutex_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH);
    const std::uint32_t blocks = mapaudit_process_registry.blocks;
    const thread_trace one = run_in_a_thread(map, 11);
    EXPECT_EQ(one.seq, one.first + 11);
    EXPECT_NE(one.tid, 0u);
    EXPECT_EQ(one.block->flushed, one.seq);
    EXPECT_EQ(one.block->tid, 0u);
    EXPECT_EQ(one.block->op_map, 0u);
    EXPECT_LE(mapaudit_process_registry.blocks, blocks + 1);

    const thread_trace two = run_in_a_thread(map, 5);
    EXPECT_EQ(two.block, one.block) << "the next thread takes the free block";
    EXPECT_EQ(two.first, one.seq) << "and goes on counting";
    EXPECT_EQ(two.seq, one.seq + 5);
    EXPECT_NE(two.block, detail::tls_block);
}

TEST_F(BatchThreads, AThreadsEndHandsOverItsCounters) {
    mutex_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH_SAMPLED);
    thread_trace trace = run_in_a_thread(map, 41);
    ASSERT_EQ(trace.block->flushed, trace.block->seq);
    u64 counted = 0;
    for (u64 s = trace.block->seq - std::min<u64>(trace.block->seq, 8); s < trace.block->seq; ++s) {
        const auto& record = trace.block->records[s % MAPAUDIT_RING];
        if (record.map == map.id() && (record.flags & MAPAUDIT_REC_COUNT) != 0) counted += record.latency;
    }
    EXPECT_EQ(counted, 41u);
    EXPECT_EQ(trace.block->counting, 0u);
    for (const auto& slot : trace.block->counters) EXPECT_EQ(slot.map, 0u);
}

TEST_F(BatchThreads, EachThreadRecordsItsOwnOperations) {
    constexpr unsigned threads = 4;
    constexpr u64 each = 3'001;
    mutex_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH);
    u64 recorded[threads] = {};
    std::vector<std::thread> all;
    for (unsigned t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            map.assign(t, 0);
            const u64 first = my_block().seq;
            for (u64 i = 0; i < each; ++i) i % 2 == 0 ? map.assign(i, i) : map.erase(i);
            recorded[t] = my_block().seq - first;
        });
    for (auto& thread : all) thread.join();
    for (const u64 n : recorded) EXPECT_EQ(n, each);
}

}  // namespace
#endif
