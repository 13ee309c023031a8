// SPDX-License-Identifier: Apache-2.0
//
// Who waits for whom, as the locks of the maps note it while somebody listens.
#include <mapaudit/probes.h>
#include <mapaudit/detail/lock_notes.hpp>
#include <mapaudit/mutex_map.hpp>

#include "recording.hpp"

#include <gtest/gtest.h>

#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>

namespace {

using namespace mapaudit;
using mapaudit_test::listening;

// Runs one operation that locks `lock`, and `inside` while it holds it.
template <class Lock, class Inside>
void operate(const map_handle& handle, Lock& lock, Inside inside) {
    audit<op::assign>(handle, [&](auto& running) {
        running.lock(lock);
        inside();
        running.unlock(lock);
    });
}

// What another thread is in, as the auditor reads it, from outside: its plain stores race with any load of this
// process.
std::uint32_t op_of(const mapaudit_thread_block& block) {
    std::uint32_t op = 0;
    const iovec here{&op, sizeof op}, there{const_cast<std::uint32_t*>(&block.op), sizeof op};
    EXPECT_EQ(::process_vm_readv(::getpid(), &here, 1, &there, 1, 0), static_cast<ssize_t>(sizeof op));
    return op;
}

void until_another_thread_waits() {
    auto& r = mapaudit_process_registry;
    for (;;) {
        for (std::uint32_t i = 0; i < __atomic_load_n(&r.blocks, __ATOMIC_ACQUIRE); ++i) {
            auto* block = detail::chunk_entry<mapaudit_thread_block>(r.block_chunks, i, MAPAUDIT_BLOCK_CHUNK);
            if (block == nullptr || block == detail::tls_block) continue;
            if ((op_of(*block) & MAPAUDIT_IN_WAIT) != 0) return;
        }
        std::this_thread::yield();
    }
}

// A thread that blocks on `lock` in an audited operation; returns once it does, joins in the destructor.
template <class Lock>
class waiter {
public:
    waiter(const map_handle& handle, Lock& lock)
        : thread_([this, &handle, &lock] {
              operate(handle, lock, [this] { got_it = true; });
              const auto& block = *detail::tls_block;
              owner = block.lock_owner;
              last = block.records[(block.seq - 1) % MAPAUDIT_RING];
              notes_left = block.lock_map;
              doing_after = block.op;
          }) {
        until_another_thread_waits();
    }
    void join() { thread_.join(); }

    std::atomic<bool> got_it = false;
    std::uint32_t owner = 0, notes_left = 1, doing_after = 1;
    mapaudit_record last{};

private:
    std::thread thread_;
};

TEST(LockNotes, NobodyListeningNobodyOwns) {
    map_handle handle("test", "quiet", {});
    detail::owned_lock<std::mutex> lock;
    operate(handle, lock, [&] { EXPECT_EQ(lock.owner(), 0u); });
}

TEST(LockNotes, AFreeLockIsOwnedAndLeavesNoNote) {
    map_handle handle("test", "free", {});
    detail::owned_lock<std::mutex> lock;
    const listening on(MAPAUDIT_SEM_BATCH);
    operate(handle, lock, [&] {
        EXPECT_EQ(lock.owner(), detail::tls_block->tid);
        EXPECT_EQ(detail::tls_block->op, MAPAUDIT_OP_ASSIGN | MAPAUDIT_IN_LOCK);
    });
    EXPECT_EQ(detail::tls_block->lock_map, 0u);
    EXPECT_EQ(detail::tls_block->records[(detail::tls_block->seq - 1) % MAPAUDIT_RING].wait, 0u);
}

TEST(LockNotes, ALockThatReadersShareForgetsItsOwner) {
    map_handle handle("test", "shared", {});
    detail::owned_lock<std::shared_mutex> lock;
    const listening on(MAPAUDIT_SEM_BATCH);
    operate(handle, lock, [&] { EXPECT_EQ(lock.owner(), detail::tls_block->tid); });
    EXPECT_EQ(lock.owner(), 0u);
}

TEST(LockNotes, AWaitNamesTheOwnerAndIsInTheRecord) {
    map_handle handle("test", "contended", {});
    detail::owned_lock<std::mutex> lock;
    const listening on(MAPAUDIT_SEM_BATCH);
    std::optional<waiter<decltype(lock)>> other;
    operate(handle, lock, [&] {
        other.emplace(handle, lock);
        EXPECT_FALSE(other->got_it);
    });
    other->join();
    EXPECT_TRUE(other->got_it);
    EXPECT_EQ(other->owner, detail::tls_block->tid);
    EXPECT_GT(other->last.wait, 0u);
    EXPECT_GE(other->last.latency, other->last.wait);
    EXPECT_EQ(other->last.map, handle.id());
    EXPECT_EQ(other->notes_left, 0u);
    EXPECT_EQ(other->doing_after, 0u);
    EXPECT_EQ(detail::tls_block->lock_map, 0u) << "told, and forgotten";
}

TEST(LockNotes, TheHolderIsToldThatItWasWaitedFor) {
    map_handle handle("test", "released", {});
    detail::owned_lock<std::mutex> lock;
    const listening on(MAPAUDIT_SEM_BATCH), released(MAPAUDIT_SEM_RELEASED), contended(MAPAUDIT_SEM_CONTENDED);
    operate(handle, lock, [] {});
    const std::uint64_t before = detail::tls_block->events;
    std::optional<waiter<decltype(lock)>> other;
    operate(handle, lock, [&] { other.emplace(handle, lock); });
    other->join();
    EXPECT_EQ(detail::tls_block->events, before + 1) << "one released";
    operate(handle, lock, [] {});
    EXPECT_EQ(detail::tls_block->events, before + 1) << "nobody waited for this one";
}

TEST(LockNotes, ReadersHaveNoNameButAreToldToo) {
    map_handle handle("test", "readers", {});
    detail::owned_lock<std::shared_mutex> lock;
    const listening on(MAPAUDIT_SEM_BATCH), released(MAPAUDIT_SEM_RELEASED);
    std::optional<waiter<decltype(lock)>> other;
    const std::uint64_t before = detail::tls_block == nullptr ? 0 : detail::tls_block->events;
    audit<op::lookup>(handle, [&](auto& running) {
        running.lock_shared(lock);
        other.emplace(handle, lock);
        running.unlock_shared(lock);
    });
    other->join();
    EXPECT_EQ(other->owner, 0u);
    EXPECT_EQ(detail::tls_block->events, before + 1);
}

// At the sampled level: 127 of 128 waits were seen by nobody.
TEST(LockNotes, AWaitOfACallThatIsNotTimedIsARecordWithoutACall) {
    map_handle handle("test", "sampled", {});
    detail::owned_lock<std::mutex> lock;
    const listening on(MAPAUDIT_SEM_BATCH_SAMPLED), released(MAPAUDIT_SEM_RELEASED), contended(MAPAUDIT_SEM_CONTENDED);
    const auto be_untimed = [&handle] {
        detail::owned_lock<std::mutex> free;
        operate(handle, free, [] {});  // a thread's first call is timed
        detail::tls_block->countdown = 1000;
    };
    be_untimed();
    const std::uint64_t before = detail::tls_block->events, started = detail::ticks();
    std::uint64_t records = 0, told = 0;
    std::uint32_t owner = 0;
    mapaudit_record last{};
    std::thread other;
    operate(handle, lock, [&] {
        other = std::thread([&] {
            be_untimed();
            const auto& block = *detail::tls_block;
            const std::uint64_t seq = block.seq, events = block.events;
            operate(handle, lock, [] {});
            records = block.seq - seq;
            told = block.events - events;
            owner = block.lock_owner;
            last = block.records[(block.seq - 1) % MAPAUDIT_RING];
        });
        until_another_thread_waits();
    });
    const std::uint64_t since = detail::tls_block->waited_for_since;
    other.join();
    EXPECT_EQ(records, 1u);
    EXPECT_EQ(last.map, handle.id());
    EXPECT_EQ(last.op, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(last.flags & MAPAUDIT_REC_COUNT, MAPAUDIT_REC_COUNT);
    EXPECT_EQ(last.latency, 0u) << "the call itself is in the counters";
    EXPECT_GT(last.wait, 0u);
    EXPECT_EQ(owner, detail::tls_block->tid);
    EXPECT_EQ(told, 1u) << "contended";
    EXPECT_EQ(detail::tls_block->events, before + 1) << "released";
    EXPECT_GE(since + (1u << detail::wait_clock_shift), started);
    EXPECT_LE(since, detail::ticks());
    EXPECT_EQ(detail::tls_block->lock_map, 0u);
}

TEST(LockNotes, AnIterationOwnsItsMapWhileItLasts) {
    mutex_map<int, int> map("iterated");
    map.assign(1, 1);
    const listening on(MAPAUDIT_SEM_BATCH), released(MAPAUDIT_SEM_RELEASED);
    std::uint32_t owner = 0;
    std::thread writer;
    map.for_each([&](const int&, const int&) {
        writer = std::thread([&] {
            map.assign(2, 2);
            owner = detail::tls_block->lock_owner;
        });
        until_another_thread_waits();
    });
    writer.join();
    EXPECT_EQ(owner, detail::this_thread_id());
    EXPECT_EQ(map.size(), 2u);
}

}  // namespace
