// SPDX-License-Identifier: Apache-2.0
//
// What an operation leaves in its thread's block while somebody listens. Semaphores are raised by hand, and nothing
// hangs on the probes.
#include "batch_fixture.hpp"

#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/scope.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#ifndef MAPAUDIT_NO_PROBES
namespace {

using namespace mapaudit;
using namespace mapaudit_test;

using u64 = std::uint64_t;

TEST_F(Batch, NobodyListensNothingIsRecorded) {
    go_map<u64, u64> map;
    const u64 seq = my_block().seq;
    map.assign(1, 2);
    map.visit(1, [](const u64&) { EXPECT_EQ(my_block().op_map, 0u); });
    map.erase(1);
    EXPECT_EQ(my_block().seq, seq);
    EXPECT_FALSE(anyone_listening());
    EXPECT_FALSE(timing_every_operation());
}

TEST_F(Batch, OneRecordAnOperation) {
    go_map<u64, u64> a;
    mutex_map<u64, std::string> b;
    const listening on(MAPAUDIT_SEM_BATCH);
    EXPECT_TRUE(timing_every_operation());
    const u64 first = my_block().seq;
    a.assign(1, 1);
    static_cast<void>(a.lookup(1));
    b.assign(2, "two");
    a.erase(1);
    a.erase(1);  // in vain is an operation too
    b.visit(2, [](const std::string&) {});
    b.clear();
    b.for_each([](const u64&, const std::string&) {});
    static_cast<void>(b.size());
    const struct {
        std::uint32_t map;
        mapaudit_op what;
    } expected[] = {{a.id(), MAPAUDIT_OP_ASSIGN}, {a.id(), MAPAUDIT_OP_LOOKUP}, {b.id(), MAPAUDIT_OP_ASSIGN},
                    {a.id(), MAPAUDIT_OP_ERASE},  {a.id(), MAPAUDIT_OP_ERASE},  {b.id(), MAPAUDIT_OP_LOOKUP}};
    ASSERT_EQ(my_block().seq, first + std::size(expected));
    for (std::size_t i = 0; i < std::size(expected); ++i) {
        const mapaudit_record& record = my_block().records[(first + i) % MAPAUDIT_RING];
        EXPECT_EQ(record.map, expected[i].map) << i;
        EXPECT_EQ(record.op, expected[i].what) << i;
        EXPECT_EQ(record.flags, 0) << i;
        EXPECT_EQ(record.wait, 0u) << "a free lock has no wait";
        expect_sound(record);
    }
}

TEST_F(Batch, GoesOutWhenItIsFull) {
    go_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH);
    u64 flushed = my_block().flushed;
    for (u64 i = 0; i < 5 * MAPAUDIT_BATCH + 7; ++i) {
        const u64 seq = my_block().seq;
        map.assign(i % 5, i);
        ASSERT_EQ(my_block().seq, seq + 1);
        flushed = std::max<u64>(flushed, my_block().seq / MAPAUDIT_BATCH * MAPAUDIT_BATCH);
        ASSERT_EQ(my_block().flushed, flushed);
    }
    EXPECT_EQ(handed_over(), flushed + my_block().events);
}

TEST_F(Batch, GoesOutWhenItIsOld) {
    go_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH);
    map.assign(1, 1);
    my_block().deadline = 1;  // long past
    map.assign(1, 2);
    EXPECT_EQ(my_block().flushed, my_block().seq);
    EXPECT_GT(my_block().deadline, detail::ticks());
}

TEST_F(Batch, IsOfOneCpu) {
    const auto cpus = pinned_.cpus();
    if (cpus.size() < 2) GTEST_SKIP() << "needs two CPUs";
    go_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH);
    map.assign(1, 1);
    EXPECT_EQ(my_block().cpu, static_cast<std::uint32_t>(cpus[0]));
    const u64 seq = my_block().seq;
    pinned::to(cpus[1]);
    map.assign(1, 2);
    EXPECT_EQ(my_block().flushed, seq) << "what the first CPU recorded has gone out";
    EXPECT_EQ(my_block().cpu, static_cast<std::uint32_t>(cpus[1]));
    map.visit(1, [&](const u64&) { pinned::to(cpus[0]); });
    ASSERT_EQ(my_block().seq, seq + 2);
    EXPECT_EQ(my_block().records[seq % MAPAUDIT_RING].flags, 0);
    EXPECT_EQ(my_block().records[(seq + 1) % MAPAUDIT_RING].flags, MAPAUDIT_REC_MIGRATED);
    EXPECT_EQ(my_block().cpu, static_cast<std::uint32_t>(cpus[0])) << "a record is of the CPU it ended on";
}

TEST_F(Batch, AnExceptionLeavesARecordToo) {
    mutex_map<u64, u64> map;
    map.assign(1, 1);
    const listening on(MAPAUDIT_SEM_BATCH);
    const u64 first = my_block().seq;
    EXPECT_THROW(map.visit(1, [](const u64&) { throw std::runtime_error("no"); }), std::runtime_error);
    ASSERT_EQ(my_block().seq, first + 1);
    const auto& record = my_block().records[first % MAPAUDIT_RING];
    EXPECT_EQ(record.map, map.id());
    EXPECT_EQ(record.op, MAPAUDIT_OP_LOOKUP);
    EXPECT_EQ(my_block().op_map, 0u);
    EXPECT_TRUE(map.erase(1));  // would deadlock had the lock been kept
}

TEST_F(Batch, ANestedOperationGivesTheOuterOneBack) {
    mutex_map<u64, u64> outer, inner;
    outer.assign(1, 1);
    inner.assign(1, 1);
    const listening on(MAPAUDIT_SEM_BATCH);
    const u64 first = my_block().seq;
    outer.visit(1, [&](const u64&) {
        EXPECT_EQ(my_block().op_map, outer.id());
        EXPECT_EQ(my_block().op, MAPAUDIT_OP_LOOKUP | MAPAUDIT_IN_LOCK);
        inner.erase(7);
        inner.visit(1, [&](const u64&) { EXPECT_EQ(my_block().op_map, inner.id()); });
        EXPECT_EQ(my_block().op_map, outer.id());
        EXPECT_EQ(my_block().op, MAPAUDIT_OP_LOOKUP | MAPAUDIT_IN_LOCK);
    });
    EXPECT_EQ(my_block().op_map, 0u);
    ASSERT_EQ(my_block().seq, first + 3);
    const auto& last = my_block().records[(first + 2) % MAPAUDIT_RING];
    EXPECT_EQ(last.map, outer.id());
    for (u64 i = 0; i < 2; ++i) {
        const auto& earlier = my_block().records[(first + i) % MAPAUDIT_RING];
        EXPECT_EQ(earlier.map, inner.id());
        EXPECT_LE(earlier.latency, last.latency);
    }
}

// Never free at first, and then long in coming.
struct contended_lock {
    static constexpr u64 ticks = 20'000;
    bool try_lock() { return false; }
    void lock() {
        for (const u64 start = detail::ticks(); detail::ticks() - start < ticks;) {
        }
    }
    bool try_lock_shared() { return try_lock(); }
    void lock_shared() { lock(); }
};

TEST_F(Batch, TheWaitForALockIsPartOfTheLatency) {
    const map_handle map("test", "waits", {});
    contended_lock lock;
    const listening on(MAPAUDIT_SEM_BATCH);
    const u64 first = my_block().seq;
    audit<op::assign>(map, [&](auto& running) { running.lock(lock); });
    audit<op::lookup>(map, [&](auto& running) { running.lock_shared(lock), running.lock_shared(lock); });
    {
        scope<op::erase> operation(map);
        EXPECT_TRUE(operation.listening());
        operation.lock(lock);
    }
    const auto records = records_since(first, map.id());
    ASSERT_EQ(records.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        expect_sound(records[i]);
        EXPECT_EQ(records[i].op, i);
        EXPECT_GE(records[i].wait, contended_lock::ticks * (i == 1 ? 2 : 1));
    }
}

TEST_F(Batch, GrowthIsFlaggedAndCounted) {
    go_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH);
    const u64 events = my_block().events;
    u64 flagged = 0, growing = 0;
    for (u64 i = 0; i < 3'001; ++i) {
        const u64 seq = my_block().seq, before = my_block().events, grows = map.grows();
        map.assign(i, i);
        const auto& record = my_block().records[seq % MAPAUDIT_RING];
        const bool reported = my_block().events != before;
        ASSERT_EQ((record.flags & MAPAUDIT_REC_GREW) != 0, reported);
        flagged += reported ? 1 : 0;
        if (map.grows() == grows) continue;
        ++growing;
        ASSERT_TRUE(reported) << "growth " << map.grows() << " went unreported";
    }
    EXPECT_GT(growing, 5u);
    EXPECT_EQ(growing, map.grows());
    EXPECT_GE(my_block().events - events, flagged);
    EXPECT_GT(flagged, growing) << "evacuations are reported as well";
}

TEST_F(Batch, ASingleOperationsProbeMakesNoRecord) {
    go_map<u64, u64> map;
    map.assign(1, 1);
    const u64 seq = my_block().seq;
    {
        const listening on(MAPAUDIT_SEM_LOOKUP);
        map.visit(1, [&](const u64&) { EXPECT_EQ(my_block().op_map, map.id()); });
    }
    {
        const listening on(MAPAUDIT_SEM_ASSIGN);
        map.visit(1, [&](const u64&) { EXPECT_EQ(my_block().op_map, 0u) << "only assign is listened to"; });
        map.assign(2, 2);
    }
    EXPECT_EQ(my_block().seq, seq);
    const listening both(MAPAUDIT_SEM_LOOKUP), full(MAPAUDIT_SEM_BATCH);
    static_cast<void>(map.lookup(1));
    EXPECT_EQ(my_block().seq, seq + 1);
}

}  // namespace
#endif
