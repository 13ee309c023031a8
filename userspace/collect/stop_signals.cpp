// SPDX-License-Identifier: Apache-2.0
#include "collect/stop_signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace mapaudit::collect {
namespace {

sigset_t stop_set() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
    return set;
}

}  // namespace

Result<StopSignals> StopSignals::take() {
    ::signal(SIGPIPE, SIG_IGN);
    const sigset_t set = stop_set();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC));
    if (!fd) return Error::from_errno(Failure::failed, "cannot wait for signals", errno);
    return StopSignals(std::move(fd));
}

void StopSignals::give_back() {
    ::signal(SIGPIPE, SIG_DFL);
    const sigset_t set = stop_set();
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

int StopSignals::receive() const {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return SIGTERM;
    return static_cast<int>(info.ssi_signo);
}

}  // namespace mapaudit::collect
