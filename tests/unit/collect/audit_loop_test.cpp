// SPDX-License-Identifier: Apache-2.0
//
// The loop without a kernel: a source that makes things up, and descriptors that tests make ready. Every run has a
// duration that no test waits for: one that ends by it has failed.
#include "collect/audit_loop.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_source.hpp"
#include "support/child.hpp"

namespace mapaudit::collect {
namespace {

using sources::Level;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double never_s = 3600, limit_s = 60, short_s = 0.01;

void stop() { ::kill(::getpid(), SIGTERM); }

// Notes what it is told, and does what a test wants done then.
struct Watcher final : LoopObserver {
    Result<void> on_interval(const model::Report& interval) override {
        intervals.push_back(interval);
        return at_interval ? at_interval() : Result<void>();
    }
    void on_switch(const Switch& made) override {
        switches.push_back(made);
        if (at_switch) at_switch();
    }
    void on_level_kept(const Error& error) override {
        kept.push_back(error.line());
        stop();
    }
    void on_prices(const Result<model::Prices>& told) override {
        order.push_back("prices");
        if (!told) prices_failed.push_back(told.error().line());
        if (at_prices) at_prices();
    }
    bool quit_asked() override { return at_keyboard && at_keyboard(); }
    void on_stop(int signal) override {
        order.push_back("stop");
        stops.push_back(signal);
    }

    std::vector<model::Report> intervals;
    std::vector<Switch> switches;
    std::vector<std::string> kept, prices_failed, order;
    std::vector<int> stops;
    std::function<Result<void>()> at_interval;
    std::function<void()> at_switch, at_prices;
    std::function<bool()> at_keyboard;
};

// The most descriptors this process may have, and may wait for at a time.
class FewDescriptors {
public:
    FewDescriptors() { ::getrlimit(RLIMIT_NOFILE, &usual_); }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &usual_); }
    void allow(rlim_t count) const {
        const rlimit few{count, usual_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &few);
    }

private:
    rlimit usual_{};
};

class AuditLoop : public testing::Test {
protected:
    AuditLoop() {
        options_.interval_s = never_s;
        options_.duration_s = limit_s;
        options_.stop_signals = &*signals_;
    }
    ~AuditLoop() override { StopSignals::give_back(); }

    std::unique_ptr<Session> session() {
        return std::make_unique<Session>(std::vector<const Process*>{&*process_}, one_source(faked_),
                                         model::AggregatorOptions{});
    }
    LoopEnd run(Session& session) {
        LoopEnd end = run_audit(session, options_, watcher_);
        EXPECT_EQ(faked_.detaches, 1);
        EXPECT_EQ(session.total().scope, model::Scope::total);
        return end;
    }
    LoopEnd run() { return run(*session()); }

    Result<Process> process_ = Process::open(::getpid());
    Result<StopSignals> signals_ = StopSignals::take();
    Faked faked_;
    LoopOptions options_;
    Watcher watcher_;
};

TEST_F(AuditLoop, ends_on_a_stop_signal) {
    ::kill(::getpid(), SIGINT);
    EXPECT_TRUE(run().outcome);
    EXPECT_THAT(watcher_.stops, ElementsAre(SIGINT));
    EXPECT_TRUE(watcher_.intervals.empty());
}

TEST_F(AuditLoop, ends_when_the_duration_is_over) {
    for (const double duration_s : {0.0, 0.03}) {
        faked_ = {};
        watcher_.stops.clear();
        options_.duration_s = duration_s;
        EXPECT_TRUE(run().outcome);
        EXPECT_THAT(watcher_.stops, ElementsAre(0));
    }
}

TEST_F(AuditLoop, ends_when_the_last_target_has_ended) {
    test::Child first({"sleep", "600"}), second({"sleep", "600"});
    const auto one = Process::open(first.pid()), other = Process::open(second.pid());
    ASSERT_TRUE(one && other);
    const auto end_of = [](const test::Child& child, const Process& process) {
        child.send(SIGKILL);
        pollfd ended{process.pidfd(), POLLIN, 0};
        EXPECT_EQ(::poll(&ended, 1, 30000), 1);
    };
    options_.interval_s = short_s;
    watcher_.at_interval = [&]() -> Result<void> {
        if (watcher_.intervals.size() == 1) end_of(second, *other);
        if (watcher_.intervals.size() == 4) end_of(first, *one);
        return {};
    };
    Session both({&*one, &*other}, one_source(faked_), {});
    EXPECT_TRUE(run(both).outcome);
    EXPECT_THAT(watcher_.stops, ElementsAre());
    EXPECT_GE(watcher_.intervals.size(), 4u);
}

TEST_F(AuditLoop, takes_what_is_urgent_without_closing_the_interval) {
    const UniqueFd urgent(::eventfd(7, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
    faked_.urgent_fd = urgent.get();
    faked_.on_events = [&] {
        eventfd_t one = 0;
        EXPECT_EQ(::eventfd_read(urgent.get(), &one), 0);
        if (faked_.events == 7) stop();
    };
    const LoopEnd end = run();
    EXPECT_TRUE(end.outcome);
    EXPECT_THAT(watcher_.stops, ElementsAre(SIGTERM));
    EXPECT_EQ(faked_.events, 7);
    EXPECT_TRUE(watcher_.intervals.empty());
    EXPECT_EQ(lookups(end.last), 7u);
}

TEST_F(AuditLoop, closes_intervals_in_order_and_loses_nothing_between) {
    options_.interval_s = short_s;
    faked_.calls_each_collect = 13;
    watcher_.at_interval = [&]() -> Result<void> {
        if (watcher_.intervals.size() == 5) stop();
        return {};
    };
    const auto audited = session();
    const LoopEnd end = run(*audited);
    ASSERT_TRUE(end.outcome);
    std::vector<model::Report> all = watcher_.intervals;
    ASSERT_GE(all.size(), 5u);
    all.push_back(end.last);
    double elapsed_s = 0, seconds = 0;
    std::uint64_t calls = 0;
    for (const model::Report& interval : all) {
        EXPECT_EQ(interval.scope, model::Scope::interval);
        EXPECT_GE(interval.elapsed_s, elapsed_s);
        elapsed_s = interval.elapsed_s;
        seconds += interval.interval_s;
        calls += lookups(interval);
        EXPECT_GT(lookups(interval), 0u);
    }
    EXPECT_EQ(calls, faked_.calls);
    EXPECT_EQ(lookups(audited->total()), faked_.calls);
    EXPECT_NEAR(seconds, audited->total().interval_s, 1e-6);
}

TEST_F(AuditLoop, looks_before_the_first_interval_is_over) {
    faked_.calls_each_collect = 1;
    options_.duration_s = limit_s;
    // The looks are all that collects: two of them, beside the session's own first.
    const UniqueFd urgent(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    faked_.urgent_fd = urgent.get();
    faked_.on_events = [&] {
        if (faked_.collects >= 3) stop();
    };
    EXPECT_TRUE(run().outcome);
    EXPECT_THAT(watcher_.stops, ElementsAre(SIGTERM));
    EXPECT_TRUE(watcher_.intervals.empty());
}

TEST_F(AuditLoop, steps_the_governor) {
    faked_.operations_each_collect = 1'000'000'000;
    watcher_.at_switch = [&] {
        if (watcher_.switches.size() == 2) stop();
    };
    const auto audited = session();
    audited->govern(5, {});
    EXPECT_TRUE(run(*audited).outcome);
    EXPECT_THAT(watcher_.stops, ElementsAre(SIGTERM));
    EXPECT_THAT(faked_.levels, ElementsAre(Level::sampled, Level::events));
    ASSERT_EQ(watcher_.switches.size(), 2u);
    EXPECT_EQ(watcher_.switches[0].from, Level::full);
    EXPECT_EQ(watcher_.switches[0].to, Level::sampled);
    EXPECT_THAT(watcher_.switches[0].why, HasSubstr("over the budget"));
    EXPECT_EQ(watcher_.switches[1].to, Level::events);
    EXPECT_EQ(audited->total().overhead.switches, 2u);
    EXPECT_EQ(audited->total().overhead.budget_percent, 5);
    EXPECT_TRUE(watcher_.intervals.empty());
}

TEST_F(AuditLoop, says_that_the_level_could_not_be_changed) {
    faked_.operations_each_collect = 1'000'000'000;
    faked_.level_refused = Error::of(Failure::failed, "no more probes");
    const auto audited = session();
    audited->govern(5, {});
    EXPECT_TRUE(run(*audited).outcome);
    EXPECT_THAT(watcher_.kept, ElementsAre("no more probes"));
    EXPECT_TRUE(watcher_.switches.empty());
    EXPECT_EQ(audited->total().overhead.switches, 0u);
}

class AuditLoopPrices : public AuditLoop {
protected:
    PendingPrices prices(Result<model::Prices> found) {
        return {ready_.get(), [this, found] {
                    ++taken_;
                    return found;
                }};
    }
    UniqueFd ready_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    int taken_ = 0;
};

model::Prices dear() {
    model::Prices prices;
    prices.record_ns = 77;
    prices.measured = true;
    return prices;
}

TEST_F(AuditLoopPrices, are_taken_when_they_are_ready) {
    options_.prices = prices(dear());
    options_.interval_s = short_s;
    watcher_.at_interval = [&]() -> Result<void> {
        EXPECT_EQ(taken_, watcher_.intervals.size() > 2 ? 1 : 0);
        if (watcher_.intervals.size() == 2) {
            EXPECT_EQ(::eventfd_write(ready_.get(), 1), 0);
        }
        return {};
    };
    watcher_.at_prices = stop;
    const auto audited = session();
    EXPECT_TRUE(run(*audited).outcome);
    EXPECT_EQ(taken_, 1);
    EXPECT_THAT(watcher_.order, ElementsAre("prices", "stop"));
    EXPECT_EQ(faked_.prices.record_ns, 77);
    EXPECT_EQ(audited->total().overhead.prices.record_ns, 77);
}

TEST_F(AuditLoopPrices, are_waited_for_at_the_end_for_the_whole_run) {
    options_.prices = prices(dear());
    options_.duration_s = 0;
    const auto audited = session();
    const LoopEnd end = run(*audited);
    EXPECT_EQ(taken_, 1);
    EXPECT_THAT(watcher_.order, ElementsAre("stop", "prices"));
    EXPECT_EQ(end.last.overhead.prices.record_ns, 77);
    EXPECT_EQ(audited->total().overhead.prices.record_ns, 77);
}

TEST_F(AuditLoopPrices, that_cannot_be_had_leave_the_usual_ones) {
    options_.prices = prices(Error::of(Failure::failed, "no time"));
    options_.duration_s = 0;
    const auto audited = session();
    EXPECT_TRUE(run(*audited).outcome);
    EXPECT_THAT(watcher_.prices_failed, ElementsAre("no time"));
    EXPECT_EQ(audited->total().overhead.prices.record_ns, model::Prices().record_ns);
}

TEST_F(AuditLoop, ends_when_the_user_quits) {
    const UniqueFd keyboard(::eventfd(1, EFD_CLOEXEC));
    int asked = 0;
    options_.keyboard_fd = keyboard.get();
    watcher_.at_keyboard = [&] { return ++asked == 3; };
    EXPECT_TRUE(run().outcome);
    EXPECT_EQ(asked, 3);
    EXPECT_THAT(watcher_.stops, ElementsAre());
}

TEST_F(AuditLoop, ends_with_the_failure_of_an_output) {
    options_.interval_s = short_s;
    watcher_.at_interval = []() -> Result<void> { return Error::of(Failure::failed, "disk full"); };
    const LoopEnd end = run();
    ASSERT_FALSE(end.outcome);
    EXPECT_EQ(end.outcome.error().line(), "disk full");
    EXPECT_EQ(watcher_.intervals.size(), 1u);
}

// Every error of poll() was taken for a signal, and the loop went round for ever.
TEST_F(AuditLoop, ends_with_an_error_where_it_cannot_wait) {
    const FewDescriptors descriptors;
    options_.interval_s = short_s;
    watcher_.at_interval = [&]() -> Result<void> {
        descriptors.allow(1);  // poll() refuses more: EINVAL
        return {};
    };
    const LoopEnd end = run();
    ASSERT_FALSE(end.outcome);
    EXPECT_EQ(end.outcome.error().kind, Failure::failed);
    EXPECT_THAT(end.outcome.error().line(), HasSubstr("poll: Invalid argument"));
    EXPECT_THAT(watcher_.stops, ElementsAre());
}

TEST_F(AuditLoop, ends_with_an_error_where_a_descriptor_is_closed) {
    options_.keyboard_fd = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 500);
    ASSERT_GE(options_.keyboard_fd, 500);
    ::close(options_.keyboard_fd);
    const LoopEnd end = run();
    ASSERT_FALSE(end.outcome);
    EXPECT_THAT(end.outcome.error().line(), HasSubstr("poll: Bad file descriptor"));
}

TEST_F(AuditLoop, detaches_even_where_it_cannot_begin) {
    const auto audited = session();
    const FewDescriptors descriptors;
    descriptors.allow(0);
    const LoopEnd end = run(*audited);
    ASSERT_FALSE(end.outcome);
    EXPECT_THAT(end.outcome.error().line(), HasSubstr("timer: Too many open files"));
}

TEST_F(AuditLoop, goes_on_after_a_signal_that_has_a_handler) {
    struct sigaction handler {
    }, usual{};
    handler.sa_handler = [](int) {};  // without SA_RESTART, as a resized terminal's
    ::sigaction(SIGALRM, &handler, &usual);
    const itimerval often{{0, 5000}, {0, 5000}}, off{};
    ::setitimer(ITIMER_REAL, &often, nullptr);
    int asked = 0;
    watcher_.at_keyboard = [&] { return ++asked == 3; };
    EXPECT_TRUE(run().outcome);
    ::setitimer(ITIMER_REAL, &off, nullptr);
    ::sigaction(SIGALRM, &usual, nullptr);
    EXPECT_EQ(asked, 3) << "the terminal may have been resized: the keyboard is looked at";
    EXPECT_THAT(watcher_.stops, ElementsAre());
}

}  // namespace
}  // namespace mapaudit::collect
