// SPDX-License-Identifier: Apache-2.0
#include "workers.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <mapaudit/probes.h>

namespace mapaudit::workload {
namespace {

// How long nothing changes before the load starts. A tracer attaches its probes one by one, and may be held up in
// between. Ours attaches what sees every operation last; where nothing but rare events is listened to so far, more may
// well come. Which of the hot probes are up may change meanwhile: an auditor that follows a budget exchanges them.
constexpr std::uint64_t quiet_ns = 50'000'000;
constexpr std::uint64_t quiet_rare_ns = 500'000'000;
constexpr int poll_us = 200;

timespec as_timespec(std::uint64_t ns) {
    return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

int checked_fd(int fd, const char* what) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
    return fd;
}

#ifndef MAPAUDIT_NO_PROBES
using Semaphores = std::array<std::uint16_t, MAPAUDIT_SEM_BYTES / 2>;

// The kernel writes them behind the compiler's back.
Semaphores read_semaphores() {
    Semaphores values{};
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = __atomic_load_n(&mapaudit_semaphores[i], __ATOMIC_RELAXED);
    return values;
}

enum class Heard { nothing, rare_events, operations };

Heard what_is_heard() {
    const Semaphores values = read_semaphores();
    for (const int semaphore :
         {MAPAUDIT_SEM_BATCH, MAPAUDIT_SEM_BATCH_SAMPLED, MAPAUDIT_SEM_ASSIGN, MAPAUDIT_SEM_LOOKUP, MAPAUDIT_SEM_ERASE})
        if (values[static_cast<std::size_t>(semaphore) / 2] != 0) return Heard::operations;
    return values == Semaphores{} ? Heard::nothing : Heard::rare_events;
}
#endif

}  // namespace

Worker::Worker(const Options& options, unsigned index) : random(options.seed, index) {
    const std::uint64_t total = options.ops.value_or(0);
    const std::uint64_t remainder = total % options.threads;
    quota =
        options.ops ? total / options.threads + (index < remainder ? 1 : 0) : std::numeric_limits<std::uint64_t>::max();
    if (options.time_ops) {
        latency = std::make_unique<OpLatencies>();
        operation_ends_wanted = true;
    }
    if (options.rate_per_s > 0) {
        interval_ns = 1e9 * options.threads / options.rate_per_s;
        due_ns = interval_ns * index / options.threads;  // from the start of the load, which Workers::run_slot adds
    }
}

Workers::Workers(const Options& options) : options_(options) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal_fd_ = checked_fd(signalfd(-1, &signals, SFD_CLOEXEC), "signalfd");
    done_fd_ = checked_fd(eventfd(0, EFD_CLOEXEC), "eventfd");
}

Workers::~Workers() {
    ::close(signal_fd_);
    ::close(done_fd_);
}

bool Workers::signalled(int timeout_us) const {
    pollfd fd{signal_fd_, POLLIN, 0};
    const timespec timeout{0, timeout_us * 1000L};
    return ppoll(&fd, 1, &timeout, nullptr) > 0;
}

std::optional<Failure> Workers::wait_for_attach() {
#ifdef MAPAUDIT_NO_PROBES
    return Failure{exit_nobody_attached, "--wait-attach: this build has no probes (MAPAUDIT_PROBES=OFF)"};
#else
    std::fprintf(stderr, "ready pid=%d\n", static_cast<int>(::getpid()));
    const std::uint64_t deadline = detail::monotonic_ns() + static_cast<std::uint64_t>(*options_.wait_attach_s * 1e9);
    Heard heard = Heard::nothing;
    std::uint64_t since_ns = 0;
    for (;;) {
        const std::uint64_t now = detail::monotonic_ns();
        if (const Heard current = what_is_heard(); current != heard) {
            heard = current;
            since_ns = now;
        } else if (heard != Heard::nothing &&
                   now - since_ns >= (heard == Heard::operations ? quiet_ns : quiet_rare_ns)) {
            return {};
        }
        if (heard == Heard::nothing && now >= deadline)
            return Failure{exit_nobody_attached, "--wait-attach: nobody attached a probe in time"};
        if (signalled(poll_us)) {  // the load ends before it began, and is reported as such
            stop_ = true;
            return {};
        }
    }
#endif
}

void Workers::await_turn(Worker& worker) const {
    // A sleep overshoots by the timer's slack; the last stretch is spent spinning.
    constexpr double spin_ns = 60'000;
    constexpr double longest_sleep_ns = 20'000'000;  // how late a worker may see stop()
    for (;;) {
        const auto now = static_cast<double>(detail::monotonic_ns());
        if (now >= worker.due_ns || stop()) break;
        if (worker.due_ns - now < spin_ns) continue;
        const double wake_ns = std::min(worker.due_ns - spin_ns / 2, now + longest_sleep_ns);
        const timespec until = as_timespec(static_cast<std::uint64_t>(wake_ns));
        ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
    worker.due_ns += worker.interval_ns;
}

void Workers::run_guarded(Worker& worker, const Work& work, std::uint64_t limit) noexcept {
    try {
        work(worker, limit);
    } catch (const std::exception& error) {
        const std::lock_guard lock(failure_mutex_);
        if (!failure_) failure_ = Failure{exit_failed, std::string("an operation failed: ") + error.what()};
        stop_ = true;
    }
}

void Workers::run_slot(Worker& worker, const Work& work) {
    start_.wait();
    worker.due_ns += static_cast<double>(started_.at_ns);
    if (options_.churn_ops == 0) {
        run_guarded(worker, work, worker.quota);
    } else {
        // This thread touches no map: it only has one successor after the other do it.
        while (worker.done < worker.quota && !stop()) {
            const std::uint64_t limit = worker.done + std::min(options_.churn_ops, worker.quota - worker.done);
            try {
                std::thread(&Workers::run_guarded, this, std::ref(worker), std::cref(work), limit).join();
            } catch (const std::system_error& error) {
                const std::lock_guard lock(failure_mutex_);
                failure_ = Failure{exit_failed, std::string("cannot start a thread: ") + error.what()};
                stop_ = true;
            }
        }
    }
    worker.finished_ns = detail::monotonic_ns();
    if (running_.fetch_sub(1) == 1) eventfd_write(done_fd_, 1);
}

void Workers::wait_until_done() {
    std::uint64_t end_ns = std::numeric_limits<std::uint64_t>::max();
    if (options_.duration_s) end_ns = started_.at_ns + static_cast<std::uint64_t>(*options_.duration_s * 1e9);
    pollfd fds[] = {{done_fd_, POLLIN, 0}, {signal_fd_, POLLIN, 0}};
    while (!stop()) {
        const std::uint64_t now = detail::monotonic_ns();
        if (now >= end_ns) break;
        const timespec left = as_timespec(std::min<std::uint64_t>(end_ns - now, 3'600'000'000'000));
        if (ppoll(fds, 2, &left, nullptr) <= 0) continue;
        if ((fds[0].revents & POLLIN) != 0) return;
        break;  // a signal
    }
    stop_ = true;
}

std::optional<Failure> Workers::run(std::vector<Worker>& workers, const Work& work) {
    std::vector<std::jthread> threads;
    threads.reserve(workers.size());
    running_ = workers.size();
    try {
        for (Worker& worker : workers)
            threads.emplace_back(&Workers::run_slot, this, std::ref(worker), std::cref(work));
    } catch (const std::system_error& error) {
        failure_ = Failure{exit_failed, "cannot start thread " + std::to_string(threads.size() + 1) + " of " +
                                            std::to_string(workers.size()) + ": " + error.what()};
        stop_ = true;
    }
    started_ = Moment::now();
    start_.count_down();
    wait_until_done();
    threads.clear();  // joins
    ended_ = Moment::now();
    return failure_;
}

}  // namespace mapaudit::workload
