// SPDX-License-Identifier: Apache-2.0
//
// What an operation leaves in its thread's block while somebody listens. Semaphores are raised by hand, and nothing
// hangs on the probes.
#include "recording.hpp"

#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/scope.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

TEST(Bucket, FloorIsWhereABucketBegins) {
    for (std::uint32_t b = 0; b < MAPAUDIT_BUCKETS; ++b) {
        const std::uint64_t floor = mapaudit_bucket_floor(b), next = mapaudit_bucket_floor(b + 1);
        ASSERT_LT(floor, next);
        ASSERT_EQ(mapaudit_bucket(floor), b);
        ASSERT_EQ(mapaudit_bucket(next - 1), b);
        if (b >= MAPAUDIT_SUB_BUCKETS) {
            ASSERT_LE((next - floor) * 32, floor) << "wider than 1/32 of its lower edge";
        }
        if (b < MAPAUDIT_SUB_BUCKETS) {
            ASSERT_EQ(next - floor, 1u);
        }
    }
    EXPECT_EQ(mapaudit_bucket_floor(MAPAUDIT_BUCKETS), std::uint64_t{1} << 41);
}
TEST(Bucket, RisesWithTheValueAndEndsAtTheLast) {
    std::uint32_t last = 0;
    for (std::uint64_t value = 0; value < std::uint64_t{1} << 42; value += 1 + value / 97) {
        const std::uint32_t b = mapaudit_bucket(value);
        ASSERT_GE(b, last);
        ASSERT_LT(b, MAPAUDIT_BUCKETS);
        ASSERT_LE(mapaudit_bucket_floor(b), value);
        if (b + 1 < MAPAUDIT_BUCKETS) {
            ASSERT_LT(value, mapaudit_bucket_floor(b + 1));
        }
        last = b;
    }
    EXPECT_EQ(mapaudit_bucket(std::uint64_t{1} << 41), MAPAUDIT_BUCKETS - 1);
    EXPECT_EQ(mapaudit_bucket(~std::uint64_t{0}), MAPAUDIT_BUCKETS - 1);
}

#ifndef MAPAUDIT_NO_PROBES
namespace {

using namespace mapaudit;
using namespace mapaudit_test;

using u64 = std::uint64_t;

mapaudit_thread_block& my_block() { return *detail::tls_block; }

// The calling thread on one CPU: a move to another hands a batch over early.
class pinned {
public:
    pinned() {
        ::sched_getaffinity(0, sizeof before_, &before_);
        to(cpus().front());
    }
    pinned(const pinned&) = delete;
    pinned& operator=(const pinned&) = delete;
    ~pinned() { ::sched_setaffinity(0, sizeof before_, &before_); }

    std::vector<int> cpus() const {
        std::vector<int> found;
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &before_)) found.push_back(cpu);
        return found;
    }
    static void to(int cpu) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    }

private:
    cpu_set_t before_;
};

class Batch : public testing::Test {
protected:
    // No batch goes out for its age: a slow machine would hand over what the tests look at.
    Batch() {
        const go_map<u64, u64> first;
        const listening on(MAPAUDIT_SEM_BATCH);
        static_cast<void>(first.lookup(0));
        my_block().deadline = ~u64{0};
    }
    ~Batch() override { my_block().deadline = 0; }

    pinned pinned_;
};

void expect_sound(const mapaudit_record& record) {
    EXPECT_LE(record.wait, record.latency);
    if ((record.flags & MAPAUDIT_REC_SCALED) == 0) {
        EXPECT_EQ(record.bucket, mapaudit_bucket(record.latency));
    }
}

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

// Reads what the calling thread's operations left, record by record, before the ring comes round.
class tally {
public:
    tally() : next_(my_block().seq) {}

    void read() {
        for (; next_ < my_block().seq; ++next_) {
            const mapaudit_record& record = my_block().records[next_ % MAPAUDIT_RING];
            if ((record.flags & MAPAUDIT_REC_COUNT) != 0) {
                EXPECT_GT(record.latency, 0u);
                counted_[{record.map, record.op}] += record.latency;
            } else {
                EXPECT_NE(record.flags & MAPAUDIT_REC_SAMPLED, 0);
                expect_sound(record);
                ++samples;
            }
        }
    }
    // Calls in COUNT records and in the counting table.
    u64 calls(std::uint32_t map, mapaudit_op what) const {
        const auto emitted = counted_.find({map, what});
        u64 sum = emitted == counted_.end() ? 0 : emitted->second;
        for (const auto& slot : my_block().counters)
            if (slot.map == map) sum += slot.calls[what];
        return sum;
    }

    u64 samples = 0;

private:
    std::map<std::pair<std::uint32_t, int>, u64> counted_;
    u64 next_;
};

TEST_F(Batch, SampledCountsEveryCall) {
    go_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH_SAMPLED);
    tally seen;
    constexpr u64 rounds = 20'011;
    for (u64 i = 0; i < rounds; ++i) {
        map.assign(i % 50, i);
        static_cast<void>(map.lookup(i % 100));
        static_cast<void>(map.lookup(i % 100));
        if (i % 3 == 0) map.erase(i % 50);
        if (i % 1'009 == 0) my_block().deadline = 0;  // the next sample turns the table into records
        seen.read();
        ASSERT_EQ(my_block().epoch % 2, 0u);
        ASSERT_EQ(seen.calls(map.id(), MAPAUDIT_OP_ASSIGN), i + 1);
    }
    EXPECT_EQ(seen.calls(map.id(), MAPAUDIT_OP_LOOKUP), 2 * rounds);
    EXPECT_EQ(seen.calls(map.id(), MAPAUDIT_OP_ERASE), (rounds + 2) / 3);
    const u64 calls = 3 * rounds + (rounds + 2) / 3;
    const double expected = static_cast<double>(calls) / detail::sampling_stride;
    EXPECT_NEAR(static_cast<double>(seen.samples), expected, expected / 10);
}

TEST_F(Batch, SampledCountsMapsThatShareASlot) {
    std::vector<std::unique_ptr<go_map<u64, u64>>> maps;
    while (maps.size() <= MAPAUDIT_COUNTERS) maps.push_back(std::make_unique<go_map<u64, u64>>());
    auto &a = *maps.front(), &b = *maps.back();
    ASSERT_EQ(a.id() % MAPAUDIT_COUNTERS, b.id() % MAPAUDIT_COUNTERS);
    const listening on(MAPAUDIT_SEM_BATCH_SAMPLED);
    tally seen;
    for (u64 i = 0; i < 2'003; ++i) {
        a.assign(i % 7, i);
        if (i % 3 == 0) b.erase(i);
        seen.read();
    }
    EXPECT_EQ(seen.calls(a.id(), MAPAUDIT_OP_ASSIGN), 2'003u);
    EXPECT_EQ(seen.calls(b.id(), MAPAUDIT_OP_ERASE), 668u);
    EXPECT_EQ(seen.calls(b.id(), MAPAUDIT_OP_ASSIGN), 0u);
}

TEST_F(Batch, FullTakesPrecedenceOverSampled) {
    go_map<u64, u64> map;
    const listening sampled(MAPAUDIT_SEM_BATCH_SAMPLED), full(MAPAUDIT_SEM_BATCH);
    const u64 seq = my_block().seq;
    for (u64 i = 0; i < 101; ++i) map.assign(0, i);
    EXPECT_EQ(my_block().seq, seq + 101);
    for (const auto& slot : my_block().counters) EXPECT_NE(slot.map, map.id());
    for (const auto& record : records_since(seq, map.id()))
        EXPECT_EQ(record.flags & (MAPAUDIT_REC_COUNT | MAPAUDIT_REC_SAMPLED), 0);
}

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

TEST_F(Batch, AThreadsEndHandsOverAndFreesItsBlock) {
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

TEST_F(Batch, AThreadsEndHandsOverItsCounters) {
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

TEST_F(Batch, EachThreadRecordsItsOwnOperations) {
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
