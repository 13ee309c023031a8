// SPDX-License-Identifier: Apache-2.0
#include <mapaudit/operation_map.hpp>

#include "recording.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <thread>

namespace {

using namespace mapaudit;
using namespace std::chrono_literals;
using u64 = std::uint64_t;
using map_type = operation_map<u64, u64>;
using clock_type = std::chrono::steady_clock;

// Holds a map's lock, in a callback, for as long as it lives.
class holding {
public:
    explicit holding(map_type& map)
        : thread_([this, &map] {
              map.visit(0, [this](u64) {
                  held_ = true;
                  held_.notify_one();
                  release_.wait(false);
              });
          }) {
        held_.wait(false);
    }
    ~holding() {
        release_ = true;
        release_.notify_one();
        thread_.join();
    }

private:
    std::atomic<bool> held_ = false, release_ = false;
    std::thread thread_;
};

operation_limits past_deadline() { return {.stop = {}, .deadline = clock_type::now() - 1ms}; }

TEST(OperationMap, AttemptsWithoutLimitsAreDone) {
    map_type map("plain");
    EXPECT_TRUE(map.try_assign(1, 10, {}).result);
    const auto overwritten = map.try_assign(1, 11, {});
    EXPECT_TRUE(overwritten);
    EXPECT_FALSE(overwritten.result);
    EXPECT_EQ(map.try_lookup(1, {}).result, 11u);
    EXPECT_TRUE(map.try_erase(1, {}).result);
    EXPECT_FALSE(map.try_erase(1, {}).result);
}

TEST(OperationMap, TimesOutWhileTheLockIsHeldAndChangesNothing) {
    map_type map("timeouts");
    map.assign(0, 0);
    {
        const holding lock(map);
        EXPECT_EQ(map.try_assign(0, 5, past_deadline()).how, attempt::timed_out);
        EXPECT_EQ(map.try_erase(0, {.stop = {}, .deadline = clock_type::now() + 1ms}).how, attempt::timed_out);
        EXPECT_EQ(map.try_lookup(0, past_deadline()).how, attempt::timed_out);
    }
    EXPECT_EQ(map.lookup(0), 0u);
    EXPECT_TRUE(map.try_erase(0, past_deadline())) << "a free lock is taken without a look at the clock";
}

TEST(OperationMap, ACancelledAttemptChangesNothing) {
    map_type map("cancelled");
    map.assign(0, 0);
    std::stop_source before;
    before.request_stop();
    EXPECT_EQ(map.try_assign(0, 5, {.stop = before.get_token()}).how, attempt::cancelled);
    std::stop_source meanwhile;
    attempt how = attempt::done;
    {
        const holding lock(map);
        std::thread waiter([&] { how = map.try_assign(0, 6, {.stop = meanwhile.get_token()}).how; });
        meanwhile.request_stop();
        waiter.join();  // would wait for ever were the token not heeded: the lock is held until after
    }
    EXPECT_EQ(how, attempt::cancelled);
    EXPECT_EQ(map.lookup(0), 0u);
}

TEST(OperationMap, AnAttemptThatIsNotDoneLeavesItsValue) {
    operation_map<u64, std::unique_ptr<u64>> map("moved");
    auto value = std::make_unique<u64>(4);
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_EQ(map.try_assign(1, std::move(value), {.stop = stopped.get_token()}).how, attempt::cancelled);
    ASSERT_NE(value, nullptr);
    EXPECT_TRUE(map.try_assign(1, std::move(value), {}));
}

TEST(OperationMap, TheBreakerOpensAfterTimeOutsInARow) {
    map_type map("breaker", 0, {.failures = 3, .pause = 1h});
    map.assign(0, 0);
    {
        const holding lock(map);
        for (int i = 0; i < 2; ++i) EXPECT_EQ(map.try_lookup(0, past_deadline()).how, attempt::timed_out);
    }
    EXPECT_TRUE(map.try_lookup(0, {})) << "a success starts the count again";
    {
        const holding lock(map);
        for (int i = 0; i < 3; ++i) {
            EXPECT_FALSE(map.breaker_open());
            EXPECT_EQ(map.try_lookup(0, past_deadline()).how, attempt::timed_out);
        }
    }
    EXPECT_TRUE(map.breaker_open());
    EXPECT_EQ(map.try_lookup(0, {}).how, attempt::refused);
    EXPECT_EQ(map.lookup(0), 0u) << "operations without limits are not its business";
}

TEST(OperationMap, TheFirstSuccessAfterThePauseClosesTheBreaker) {
    map_type map("half open", 0, {.failures = 1, .pause = 0s});
    map.assign(0, 0);
    {
        const holding lock(map);
        EXPECT_EQ(map.try_lookup(0, past_deadline()).how, attempt::timed_out);
        EXPECT_TRUE(map.breaker_open());
        EXPECT_EQ(map.try_lookup(0, past_deadline()).how, attempt::timed_out) << "let through, and failed";
        EXPECT_TRUE(map.breaker_open());
    }
    EXPECT_TRUE(map.try_lookup(0, {}));
    EXPECT_FALSE(map.breaker_open());
}

TEST(Breaker, LetsOneThroughWhenThePauseIsOver) {
    detail::breaker breaker(2, 100);
    breaker.failed(0);
    EXPECT_TRUE(breaker.admits(1));
    breaker.failed(10);
    EXPECT_FALSE(breaker.admits(109));
    EXPECT_TRUE(breaker.admits(110));
    EXPECT_FALSE(breaker.admits(111)) << "the one that was let through has not reported";
    EXPECT_TRUE(breaker.admits(210)) << "and if it never does, another may";
    breaker.succeeded();
    EXPECT_TRUE(breaker.admits(211));
    EXPECT_TRUE(breaker.admits(211));
    breaker.failed(300);
    EXPECT_TRUE(breaker.admits(301)) << "the count began again";
}

#ifndef MAPAUDIT_NO_PROBES
TEST(OperationMap, EveryAdmittedAttemptIsOneAuditedOperation) {
    map_type map("audited", 0, {.failures = 2, .pause = 1h});
    map.assign(0, 0);
    const mapaudit_test::listening attached(MAPAUDIT_SEM_BATCH);
    {
        const holding lock(map);
        const u64 first = mapaudit_test::records_so_far();
        map.try_assign(0, 1, past_deadline());
        map.try_assign(0, 1, past_deadline());
        EXPECT_EQ(map.try_assign(0, 1, past_deadline()).how, attempt::refused);
        const auto records = mapaudit_test::records_since(first, map.id());
        ASSERT_EQ(records.size(), 2u);
        for (const auto& record : records) EXPECT_GT(record.wait, 0u);
    }
}
#endif

}  // namespace
