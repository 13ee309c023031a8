// SPDX-License-Identifier: Apache-2.0
#include "sources/host/calibration.hpp"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <thread>
#include <vector>

#include "calibration/calibration_subject.hpp"
#include "sources/attach/perf_event.hpp"
#include "sources/host/breakpoint_prices.hpp"
#include "sources/host/uprobe_scaling.hpp"

namespace mapaudit::sources {
namespace {

using calibration::Subject;
using std::chrono::steady_clock;
using Heard = Subject::Heard;
using Kind = Subject::Kind;

// What the child writes, whole.
struct Outcome {
    model::Prices prices{};
    bool good = false;
    char error[400] = {};
};
static_assert(sizeof(Outcome) <= 4096, "a pipe takes it in one piece");

constexpr std::size_t most_rounds = 25, least_rounds = 5;
constexpr auto last_round_after = std::chrono::milliseconds(100);  // since the child began
constexpr auto last_scaling_after = std::chrono::milliseconds(150);
constexpr unsigned most_scaling_threads = 4;                // threads
constexpr auto breather = std::chrono::microseconds(1500);  // between rounds, for whoever else wants the CPU
constexpr std::uint32_t warm_up = 8192, operations = 8192, batches = 128, events = 48;
constexpr Kind kinds[] = {Kind::locked, Kind::plain};

// One quantity, measured once a round.
class Figure {
public:
    void add(double ns) { all_.push_back(ns); }
    // The lower quartile: whatever disturbs a round makes it longer, and some machines are disturbed most of the time;
    // the very least may be luck.
    double ns() {
        const auto at = all_.begin() + static_cast<std::ptrdiff_t>(all_.size() / 4);
        std::nth_element(all_.begin(), at, all_.end());
        return *at;
    }

private:
    std::vector<double> all_;
};

// CPU time by who does it: all of it, and the part inside the eBPF program.
struct Split {
    Figure all, program;
    double outside() { return all.ns() - program.ns(); }
};

// A thread's own perf event, as those by which an audit samples: its interrupts, without the program that they run,
// which is short beside them.
class OwnSamples {
public:
    static constexpr std::uint64_t clock_period = 50'000, cycles_period = 200'000;

    OwnSamples() {
        perf_event_attr attributes{};
        attributes.size = sizeof attributes;
        attributes.disabled = 1;
        for (const PerfCounter& counter : {hardware_counters().front(), cpu_clock()}) {
            attributes.type = counter.type;
            attributes.config = counter.config;
            attributes.sample_period = counter.type == PERF_TYPE_SOFTWARE ? clock_period : cycles_period;
            event_ = UniqueFd(
                static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
            if (event_) break;
        }
        period_ = static_cast<double>(attributes.sample_period);
    }
    // What one costs, where a stretch of work takes `bare_ns` without.
    template <class Work>
    std::optional<double> price(double bare_ns, Work work) {
        std::uint64_t before = 0, after = 0;
        if (!event_ || ::read(event_.get(), &before, sizeof before) != sizeof before) return std::nullopt;
        ::ioctl(event_.get(), PERF_EVENT_IOC_ENABLE, 0);
        const double with_ns = work();
        ::ioctl(event_.get(), PERF_EVENT_IOC_DISABLE, 0);
        if (::read(event_.get(), &after, sizeof after) != sizeof after || after - before < 2 * period_)
            return std::nullopt;
        return std::max(with_ns - bare_ns, 0.0) / (static_cast<double>(after - before) / period_);
    }

private:
    UniqueFd event_;
    double period_ = 0;
};

// All variants take turns within a round, so that what slows the machine down for a while slows them all.
class Rounds {
public:
    Rounds(Subject& subject, const Source& source) : subject_(subject), source_(source) {}

    void run(steady_clock::time_point end) {
        for (std::size_t i = 0; i < most_rounds && (i < least_rounds || steady_clock::now() < end); ++i) {
            if (i != 0) std::this_thread::sleep_for(breather);
            one();
        }
        Subject::listen(Heard::every_operation);  // as it was attached
    }

    model::Prices prices() {
        // full = bare + record + program + trap / batch, handed over = bare + record + program + trap.
        constexpr double batch = MAPAUDIT_BATCH;
        model::Prices prices;
        prices.trap_ns = std::max(handed_over_.outside() - full_[0].outside(), 0.0) * batch / (batch - 1);
        prices.record_ns = prices.program_ns = prices.counted_ns = 0;
        for (std::size_t kind = 0; kind < std::size(kinds); ++kind) {
            const double bare = bare_[kind].ns();
            const double record = full_[kind].outside() - bare - prices.trap_ns / batch;
            prices.record_ns += std::max(record, 0.0) / std::size(kinds);
            prices.program_ns += full_[kind].program.ns() / std::size(kinds);
            prices.counted_ns += std::max(sampled_[kind].ns() - bare, 0.0) / std::size(kinds);
        }
        prices.event_ns = std::max(event_.outside(), 0.0);
        if (samples_seen_ >= least_rounds) prices.sample_ns = sample_.ns();
        prices.measured = true;
        return prices;
    }

private:
    void one() {
        for (std::size_t kind = 0; kind < std::size(kinds); ++kind) {
            // Before, between and after the others.
            Subject::listen(Heard::nothing);
            (void)subject_.operation_ns(kinds[kind], warm_up);
            bare_[kind].add(subject_.operation_ns(kinds[kind], operations));
            Subject::listen(Heard::some_operations);
            (void)subject_.operation_ns(kinds[kind], warm_up);
            sampled_[kind].add(subject_.operation_ns(kinds[kind], operations));
            Subject::listen(Heard::nothing);
            const double bare = subject_.operation_ns(kinds[kind], operations);
            bare_[kind].add(bare);
            if (kinds[kind] == Kind::locked) add_sample(bare);
            Subject::listen(Heard::every_operation);
            (void)subject_.operation_ns(kinds[kind], warm_up / 8);
            split(full_[kind], operations, [&] { return subject_.operation_ns(kinds[kind], operations); });
        }
        Subject::listen(Heard::every_operation);
        split(handed_over_, batches, [&] { return subject_.handed_over_ns(batches); });
        split(event_, events, [&] { return subject_.event_ns(events); });
    }

    void add_sample(double bare) {
        const auto price = own_samples_.price(bare * sampled_stretch * operations, [&] {
            return subject_.operation_ns(Kind::locked, sampled_stretch * operations) * sampled_stretch * operations;
        });
        if (!price) return;
        sample_.add(*price);
        ++samples_seen_;
    }

    template <class Measure>
    void split(Split& into, std::uint32_t times, Measure measure) {
        const double before = source_.activity().program_ns;
        into.all.add(measure());
        into.program.add((source_.activity().program_ns - before) / times);
    }

    static constexpr std::uint32_t sampled_stretch = 4;
    Subject& subject_;
    const Source& source_;
    OwnSamples own_samples_;
    Figure bare_[std::size(kinds)], sampled_[std::size(kinds)], sample_;
    Split full_[std::size(kinds)], handed_over_, event_;
    std::size_t samples_seen_ = 0;
};

// Takes nothing down again: to detach takes the kernel a grace period, and the end of this process does it.
Result<model::Prices> measure_library(AttachLibrary attach, steady_clock::time_point start) {
    auto opened = Process::open(::getpid());
    if (!opened) return opened.error();
    const auto* const self = new Process(std::move(*opened));
    if (!Subject::has_probes()) return Error::of(Failure::failed, "this auditor was built with MAPAUDIT_PROBES=OFF");
    auto* const subject = new Subject;
    auto attached = attach(*self);
    if (!attached) return attached.error();
    const Source* const source = attached->release();
    Rounds rounds(*subject, *source);
    rounds.run(start + last_round_after);
    const model::Activity activity = source->activity();
    if (activity.batches < least_rounds * batches || activity.events < least_rounds * events)
        return Error::of(Failure::failed, "its probes did not fire");
    model::Prices prices = rounds.prices();
    // Waits are shown beside what the kernel has to do with them, so every audit wants to know. A dozen ms from few
    // threads show what half the speed or less is; doctor takes its time, and asks all CPUs. Where the start was slow,
    // it is left to doctor.
    if (steady_clock::now() < start + last_scaling_after)
        prices.parallel_speed =
            measure_scaling(Subject::empty_hit, scaling_threads(most_scaling_threads), 3, std::chrono::milliseconds(2))
                .kept();
    return prices;
}

Result<model::Prices> measure(CalibrationRequest request, steady_clock::time_point start) {
    model::Prices prices;
    std::optional<BreakpointPrices> breakpoints;
    if (request.breakpoints) {
        const auto measured = measure_breakpoints();
        if (!measured) return measured.error();
        breakpoints = *measured;
        prices.measured = true;
    }
    if (request.attach_library != nullptr) {
        auto measured = measure_library(request.attach_library, start);
        if (!measured) return measured.error();
        prices = *measured;
    }
    if (breakpoints) {
        prices.breakpoint_ns = breakpoints->emulated_ns;
        prices.step_ns = breakpoints->stepped_ns;
    }
    return prices;
}

[[noreturn]] void run_child(int results, pid_t parent, CalibrationRequest request, steady_clock::time_point start) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    Outcome outcome;
    if (const auto prices = measure(request, start)) {
        outcome.prices = *prices;
        outcome.good = true;
    } else {
        std::strncpy(outcome.error, prices.error().line().c_str(), sizeof outcome.error - 1);
    }
    (void)!::write(results, &outcome, sizeof outcome);
    ::_exit(0);  // nothing of the parent's is to be flushed or torn down here; the kernel detaches
}

}  // namespace

Result<Calibration> Calibration::start(CalibrationRequest request) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno(Failure::failed, "cannot make a pipe", errno);
    UniqueFd results(ends[0]), child_end(ends[1]);
    const auto start = steady_clock::now();
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return Error::from_errno(Failure::failed, "cannot fork", errno);
    if (pid == 0) run_child(child_end.get(), parent, request, start);
    return Calibration(pid, std::move(results), start);
}

Calibration::~Calibration() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<model::Prices> Calibration::finish(std::chrono::milliseconds longest) {
    const std::string what = "cannot calibrate what auditing costs here";
    pollfd waited{results_.get(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(start_ + longest - steady_clock::now());
    if (::poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) == 0)
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
