// SPDX-License-Identifier: Apache-2.0
#include <mapaudit/audited_lock.hpp>

#include "recording.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace {

using namespace mapaudit;
using mapaudit_test::listening;
using mapaudit_test::records_since;
using mapaudit_test::records_so_far;

template <class Lock>
concept can_be_shared = requires(Lock& lock) {
    lock.lock_shared();
};

TEST(AuditedLock, IsTheMutexItWraps) {
    static_assert(audited_lock<std::mutex>::kind == "mutex");
    static_assert(audited_lock<std::shared_mutex>::kind == "shared_mutex");
    static_assert(can_be_shared<audited_lock<std::shared_mutex>> && !can_be_shared<audited_lock<std::mutex>>);
    audited_lock<std::mutex> lock("counter");
    long counter = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 10'007; ++i) {
                    const std::lock_guard guard(lock);
                    ++counter;
                }
            });
    }
    EXPECT_EQ(counter, 4 * 10'007);
    EXPECT_TRUE(lock.try_lock());
    std::thread([&] { EXPECT_FALSE(lock.try_lock()); }).join();
    lock.unlock();
}

TEST(AuditedLock, ACriticalSectionIsAnOperation) {
    audited_lock<std::shared_mutex> lock("sections");
    const listening on(MAPAUDIT_SEM_BATCH);
    const std::uint64_t first = records_so_far();
    {
        const std::unique_lock exclusive(lock);
        EXPECT_EQ(detail::tls_block->op_map, lock.id());
        EXPECT_EQ(detail::tls_block->op, MAPAUDIT_OP_ASSIGN | MAPAUDIT_IN_LOCK);
    }
    { const std::shared_lock shared(lock); }
    EXPECT_TRUE(lock.try_lock());
    EXPECT_TRUE(records_since(first, lock.id()).size() == 2) << "told after the lock was let go";
    lock.unlock();
    const auto records = records_since(first, lock.id());
    ASSERT_EQ(records.size(), 3u);
    EXPECT_EQ(records[0].op, MAPAUDIT_OP_ASSIGN);
    EXPECT_EQ(records[1].op, MAPAUDIT_OP_LOOKUP);
    EXPECT_EQ(records[2].op, MAPAUDIT_OP_ASSIGN);
    for (const auto& record : records) EXPECT_EQ(record.wait, 0u);
    EXPECT_EQ(detail::tls_block->op_map, 0u);
}

TEST(AuditedLock, SectionsEndInAnyOrder) {
    audited_lock<std::mutex> a("a"), b("b");
    const listening on(MAPAUDIT_SEM_BATCH);
    const std::uint64_t first = records_so_far();
    a.lock();
    b.lock();
    a.unlock();
    b.unlock();
    EXPECT_EQ(records_since(first, a.id()).size(), 1u);
    EXPECT_EQ(records_since(first, b.id()).size(), 1u);
    EXPECT_EQ(detail::tls_block->op_map, 0u);
    EXPECT_EQ(detail::sections_held, 0u);
}

TEST(AuditedLock, WhoIsAttachedToInTheMiddleGoesUnheardOnce) {
    audited_lock<std::mutex> lock("late");
    lock.lock();
    const listening on(MAPAUDIT_SEM_BATCH);
    const std::uint64_t first = records_so_far();
    lock.unlock();
    EXPECT_EQ(records_since(first, lock.id()).size(), 0u);
    lock.lock();
    lock.unlock();
    EXPECT_EQ(records_since(first, lock.id()).size(), 1u);
}

TEST(AuditedLock, MoreLocksThanAreHeardStillWork) {
    std::vector<std::unique_ptr<audited_lock<std::mutex>>> locks;
    const listening on(MAPAUDIT_SEM_BATCH);
    const std::uint64_t first = records_so_far();
    for (std::size_t i = 0; i < detail::held_sections::most + 3; ++i) {
        locks.push_back(std::make_unique<audited_lock<std::mutex>>("many"));
        locks.back()->lock();
    }
    std::size_t heard = 0;
    for (auto& lock : locks) {
        lock->unlock();
        heard += records_since(first, lock->id()).size();
    }
    EXPECT_EQ(heard, detail::held_sections::most);
    EXPECT_EQ(detail::sections_held, 0u);
}

TEST(AuditedLock, WorksWithConditionVariables) {
    audited_lock<std::mutex> lock("queue");
    const listening on(MAPAUDIT_SEM_BATCH);
    std::condition_variable_any ready;
    bool is_ready = false;
    std::jthread other([&] {
        const std::lock_guard guard(lock);
        is_ready = true;
        ready.notify_one();
    });
    std::unique_lock guard(lock);
    ready.wait(guard, [&] { return is_ready; });
    EXPECT_TRUE(is_ready);
}

}  // namespace
