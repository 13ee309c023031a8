// SPDX-License-Identifier: Apache-2.0
#include "sources/calibration.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "calibration/subject.hpp"
#include "sources/usdt_source.hpp"

namespace mapaudit::sources {
namespace {

// What the child writes, whole.
struct Outcome {
    model::Prices prices{};
    bool good = false;
    char error[400] = {};
};
static_assert(sizeof(Outcome) <= 4096, "a pipe takes it in one piece");

constexpr std::size_t rounds = 9;
constexpr std::uint32_t operations = 8192, sampled_operations = 32768, batches = 512, events = 256;

// The median: the first rounds meet cold caches, and one in a few is interrupted.
template <class Round>
double median_ns(Round round) {
    std::array<double, rounds> all;
    for (double& one : all) one = round();
    std::nth_element(all.begin(), all.begin() + rounds / 2, all.end());
    return all[rounds / 2];
}

Result<model::Prices> measure() {
    auto self = Process::open(::getpid());
    if (!self) return self.error();
    calibration::Subject subject;
    if (!calibration::Subject::has_probes())
        return Error::of(Failure::failed, "this auditor was built with MAPAUDIT_PROBES=OFF");
    UsdtOptions options;
    options.switchable = true;
    options.max_maps = options.max_stacks = 16;
    const double bare = median_ns([&] { return subject.operation_ns(operations); });
    auto source = UsdtSource::attach({&*self}, std::move(options));
    if (!source) return source.error();
    model::Book book({});
    const double full = median_ns([&] { return subject.operation_ns(operations); });
    const double handed_over = median_ns([&] { return subject.handed_over_ns(batches); });
    const double event = median_ns([&] { return subject.event_ns(events); });
    if ((*source)->activity().batches < rounds * batches || (*source)->activity().events < rounds * events)
        return Error::of(Failure::failed, "its probes did not fire");
    if (auto switched = (*source)->set_level(Level::sampled, book); !switched) return switched.error();
    const double sampled = median_ns([&] { return subject.operation_ns(sampled_operations); });

    // handed_over = bare + record + trap, full = bare + record + trap / batch.
    constexpr double batch = MAPAUDIT_BATCH;
    model::Prices prices;
    prices.trap_ns = std::max(handed_over - full, 0.0) * batch / (batch - 1);
    prices.record_ns = std::max(full - bare - prices.trap_ns / batch, 0.0);
    prices.counted_ns = std::max(sampled - bare, 0.0);
    prices.event_ns = event;
    prices.measured = true;
    return prices;
}

[[noreturn]] void run_child(int results, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    Outcome outcome;
    if (const auto prices = measure()) {
        outcome.prices = *prices;
        outcome.good = true;
    } else {
        std::strncpy(outcome.error, prices.error().line().c_str(), sizeof outcome.error - 1);
    }
    (void)!::write(results, &outcome, sizeof outcome);
    ::_exit(0);  // nothing of the parent's is to be flushed or torn down here; the kernel detaches
}

}  // namespace

Result<Calibration> Calibration::start() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno(Failure::failed, "cannot make a pipe", errno);
    UniqueFd results(ends[0]), child_end(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return Error::from_errno(Failure::failed, "cannot fork", errno);
    if (pid == 0) run_child(child_end.get(), parent);
    return Calibration(pid, std::move(results));
}

Calibration::~Calibration() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<model::Prices> Calibration::finish(double limit_s) {
    const std::string what = "cannot calibrate what auditing costs here";
    pollfd waited{results_.get(), POLLIN, 0};
    if (::poll(&waited, 1, static_cast<int>(limit_s * 1000)) == 0)
        return Error::of(Failure::failed, what + ": it took too long");
    Outcome outcome;
    if (::read(results_.get(), &outcome, sizeof outcome) != static_cast<ssize_t>(sizeof outcome))
        return Error::of(Failure::failed, what + ": its process ended early");
    if (!outcome.good) {
        outcome.error[sizeof outcome.error - 1] = '\0';
        return Error::of(Failure::failed, what + ": " + outcome.error);
    }
    return outcome.prices;
}

}  // namespace mapaudit::sources
