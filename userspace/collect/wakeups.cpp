// SPDX-License-Identifier: Apache-2.0
#include "collect/wakeups.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <ctime>

namespace mapaudit::collect {
namespace {

// An audit may end, with its target, before the first interval does. The first look comes this early, each further one
// after twice the time, until intervals are as short: of what came after the last look, the CPU time may be gone.
constexpr double first_look_s = 0.02;

// How often the governor looks: a load that has risen a hundredfold is over its budget for twice that at most.
constexpr double governor_period_s = 0.25;

timespec time_of(double s) {
    timespec time;
    time.tv_sec = static_cast<time_t>(s);
    time.tv_nsec = static_cast<long>((s - std::floor(s)) * 1e9);
    return time;
}

bool set_timer(int fd, double first_s, double every_s) {
    itimerspec spec{time_of(every_s), time_of(first_s)};
    // A timer of nothing would never go off.
    if (spec.it_value.tv_sec == 0 && spec.it_value.tv_nsec == 0) spec.it_value.tv_nsec = 1;
    return ::timerfd_settime(fd, 0, &spec, nullptr) == 0;
}

}  // namespace

Result<Wakeups> Wakeups::make(const WakeOptions& options) {
    Wakeups made;
    made.interval_s_ = options.interval_s;
    made.look_s_ = first_look_s;
    made.add(options.stop_fd, Woken::stop);
    if (options.duration_s)
        if (auto added = made.add_timer(Woken::duration_over, *options.duration_s, 0); !added) return added.error();
    for (const Process* target : options.targets) made.add(target->pidfd(), Woken::targets_gone);
    made.targets_ = options.targets.size();
    made.add(options.priced_fd, Woken::priced);
    if (auto added = made.add_timer(Woken::interval, options.interval_s, options.interval_s); !added)
        return added.error();
    if (options.governed)
        if (auto added = made.add_timer(Woken::governor, governor_period_s, governor_period_s); !added)
            return added.error();
    if (auto added = made.add_timer(Woken::look, first_look_s, 0); !added) return added.error();
    made.add(options.keyboard_fd, Woken::keyboard);
    for (const int fd : options.urgent_fds) made.add(fd, Woken::urgent);
    return made;
}

void Wakeups::add(int fd, Woken meaning) {
    if (fd < 0) return;
    fds_.push_back({fd, POLLIN, 0});
    entries_.push_back({meaning, false});
}

Result<void> Wakeups::add_timer(Woken meaning, double first_s, double every_s) {
    UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer || !set_timer(timer.get(), first_s, every_s))
        return Error::from_errno(Failure::failed, "cannot make a timer", errno);
    add(timer.get(), meaning);
    entries_.back().timer = true;
    timers_.push_back(std::move(timer));
    return {};
}

Result<Woken> Wakeups::wait() {
    for (;;) {
        if (::poll(fds_.data(), fds_.size(), -1) < 0) {
            if (errno == EINTR) return Woken::keyboard;  // the terminal was resized
            return Error::from_errno(Failure::failed, "cannot go on with the audit: poll", errno);
        }
        for (std::size_t i = 0; i < fds_.size(); ++i) {
            if ((fds_[i].revents & POLLNVAL) != 0)
                return Error::from_errno(Failure::failed, "cannot go on with the audit: poll", EBADF);
            if (fds_[i].revents != 0 && takes(i)) return entries_[i].meaning;
        }
    }
}

bool Wakeups::takes(std::size_t index) {
    const Woken meaning = entries_[index].meaning;
    const int fd = fds_[index].fd;
    if (std::uint64_t expirations; entries_[index].timer && ::read(fd, &expirations, sizeof expirations) < 0)
        return false;
    switch (meaning) {
        // They stay readable.
        case Woken::targets_gone: fds_[index].fd = -1; return --targets_ == 0;
        case Woken::priced: fds_[index].fd = -1; return true;
        case Woken::look: look_later(fd); return true;
        default: return true;
    }
}

void Wakeups::look_later(int timer) {
    look_s_ *= 2;
    if (look_s_ < interval_s_) (void)set_timer(timer, look_s_, 0);
}

}  // namespace mapaudit::collect
