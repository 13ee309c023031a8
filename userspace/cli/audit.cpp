// SPDX-License-Identifier: Apache-2.0
#include "cli/audit.hpp"

#include <fmt/chrono.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "cli/attach_sources.hpp"
#include "collect/session.hpp"
#include "output/csv.hpp"
#include "output/evidence.hpp"
#include "output/folded.hpp"
#include "output/format.hpp"
#include "output/ledger.hpp"
#include "output/rows.hpp"
#include "output/screen.hpp"
#include "output/summary.hpp"
#include "sources/host/calibration.hpp"
#include "sources/usdt/usdt_source.hpp"
#include "symbols/stack_table.hpp"

namespace mapaudit::cli {
namespace {

// An audit may end, with its target, before the first interval does. The first look comes this early, each further one
// after twice the time, until intervals are as short: of what came after the last look, the CPU time may be gone.
constexpr double first_look_s = 0.02;

// How often the governor looks: a load that has risen a hundredfold is over its budget for twice that at most.
constexpr double governor_period_s = 0.25;

constexpr int stop_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

sigset_t stop_set() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : stop_signals) sigaddset(&set, signal);
    return set;
}

itimerspec timer_spec(double first_s, double every_s) {
    const auto part = [](double s) {
        timespec t;
        t.tv_sec = static_cast<time_t>(s);
        t.tv_nsec = static_cast<long>((s - std::floor(s)) * 1e9);
        return t;
    };
    itimerspec spec{part(every_s), part(first_s)};
    if (spec.it_value.tv_sec == 0 && spec.it_value.tv_nsec == 0) spec.it_value.tv_nsec = 1;
    return spec;
}

Result<UniqueFd> make_timer(double first_s, double every_s) {
    UniqueFd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    const itimerspec spec = timer_spec(first_s, every_s);
    if (!fd || ::timerfd_settime(fd.get(), 0, &spec, nullptr) != 0)
        return Error::from_errno(Failure::failed, "cannot make a timer", errno);
    return fd;
}

std::uint64_t conflicts_in(const model::Report& total) {
    std::uint64_t sum = 0;
    for (const model::Row& row : total.rows)
        if (row.is_sum()) sum += row.conflicts_seen();
    return sum;
}

// Exit 5 where a --fail-on gate was given and did not hold.
int gate(const AuditOptions& options, const model::Report& total) {
    int code = 0;
    if (const auto lost = total.ledger.lost_total(); lost != 0) {
        spdlog::warn("{}", output::ledger_line(total.ledger));
        if (options.fail_on_loss) code = static_cast<int>(Failure::gate);
    }
    if (const auto conflicts = conflicts_in(total); conflicts != 0) {
        spdlog::warn("conflicting access observed {} times", conflicts);
        if (options.fail_on_conflict) code = static_cast<int>(Failure::gate);
    }
    return code;
}

// On a machine that its target keeps busy, attaching and detaching would wait for many time slices; what is done in
// between is far under a hundredth of a core. Where it is not permitted, it takes longer.
void prefer_this_process() { (void)::setpriority(PRIO_PROCESS, 0, -20); }

// What the loop waits for. Order matters to `Loop::wait` alone.
class Loop {
public:
    enum class Woken { interval, look, urgent, governor, calibrated, stop, duration_over, targets_gone, keyboard };

    static Result<Loop> make(const std::vector<const Process*>& processes, const AuditOptions& options, int signal_fd,
                             int keyboard_fd, int calibration_fd, const std::vector<int>& urgent_fds) {
        Loop loop;
        auto interval = make_timer(options.interval_s, options.interval_s);
        if (!interval) return interval.error();
        loop.interval_ = std::move(*interval);
        if (options.duration_s) {
            auto duration = make_timer(*options.duration_s, 0);
            if (!duration) return duration.error();
            loop.duration_ = std::move(*duration);
        }
        auto look = make_timer(first_look_s, 0);
        if (!look) return look.error();
        loop.look_ = std::move(*look);
        loop.interval_s_ = options.interval_s;
        if (options.max_overhead) {
            auto governor = make_timer(governor_period_s, governor_period_s);
            if (!governor) return governor.error();
            loop.governor_ = std::move(*governor);
        }
        loop.add(signal_fd, Woken::stop);
        loop.add(loop.duration_.get(), Woken::duration_over);
        for (const Process* process : processes) loop.add(process->pidfd(), Woken::targets_gone);
        loop.add(calibration_fd, Woken::calibrated);
        loop.add(loop.interval_.get(), Woken::interval);
        loop.add(loop.governor_.get(), Woken::governor);
        loop.add(loop.look_.get(), Woken::look);
        loop.add(keyboard_fd, Woken::keyboard);
        for (const int fd : urgent_fds) loop.add(fd, Woken::urgent);
        return loop;
    }

    Woken wait() {
        for (;;) {
            const int ready = ::poll(fds_.data(), fds_.size(), -1);
            if (ready < 0) return Woken::keyboard;  // EINTR: the terminal was resized
            for (std::size_t i = 0; i < fds_.size(); ++i) {
                if (fds_[i].revents == 0) continue;
                if (meaning_[i] == Woken::targets_gone) {
                    fds_[i].fd = -1;  // it stays readable; the others go on
                    if (--targets_ > 0) continue;
                }
                if (meaning_[i] == Woken::calibrated) fds_[i].fd = -1;  // told once
                if (meaning_[i] == Woken::interval || meaning_[i] == Woken::governor || meaning_[i] == Woken::look) {
                    std::uint64_t expirations;
                    if (::read(fds_[i].fd, &expirations, sizeof expirations) < 0) continue;
                }
                if (meaning_[i] == Woken::look) look_later();
                return meaning_[i];
            }
        }
    }

private:
    void add(int fd, Woken meaning) {
        if (fd < 0) return;
        fds_.push_back({fd, POLLIN, 0});
        meaning_.push_back(meaning);
        if (meaning == Woken::targets_gone) ++targets_;
    }
    void look_later() {
        look_s_ *= 2;
        const itimerspec spec = timer_spec(look_s_, 0);
        if (look_s_ < interval_s_) (void)::timerfd_settime(look_.get(), 0, &spec, nullptr);
    }
    UniqueFd interval_, look_, duration_, governor_;
    double interval_s_ = 1, look_s_ = first_look_s;
    std::vector<pollfd> fds_;
    std::vector<Woken> meaning_;
    int targets_ = 0;
};

int received_signal(const UniqueFd& stop_signals_fd) {
    signalfd_siginfo info{};
    if (::read(stop_signals_fd.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return SIGTERM;
    return static_cast<int>(info.ssi_signo);
}

sources::CalibrationRequest calibration_for(const std::vector<std::unique_ptr<sources::Source>>& attached) {
    sources::CalibrationRequest request;
    for (const auto& source : attached) {
        const sources::PricedActions actions = source->priced_actions();
        if (actions.library) request.attach_library = sources::attach_library;
        request.breakpoints |= actions.breakpoints;
    }
    return request;
}

// Once: what auditing costs here, for the estimates from now on.
void learn_prices(collect::Session& session, std::optional<sources::Calibration>& calibration) {
    if (!calibration) return;
    const auto prices = calibration->finish();
    calibration.reset();
    if (prices) {
        session.set_prices(*prices);
        spdlog::debug("calibrated what auditing costs here");
    } else {
        spdlog::warn("the target's slowdown is estimated from assumed figures: {}", prices.error().line());
    }
}

// One line a switch, at once; on a terminal that shows the live screen, which it would be drawn over, after that.
class SwitchLog {
public:
    explicit SwitchLog(bool deferred) : deferred_(deferred) {}
    void step(collect::Session& session) {
        const auto stepped = session.step_governor();
        if (!stepped) {
            if (session.any_alive()) say(fmt::format("the level stays: {}", stepped.error().line()));
        } else if (*stepped) {
            const collect::Switch& made = **stepped;
            say(fmt::format("{:%H:%M:%S}Z level {} -> {}: {} (estimated slowdown {:.2f} %)",
                            fmt::gmtime(std::time(nullptr)), sources::level_name(made.from),
                            sources::level_name(made.to), made.why, made.percent));
        }
    }
    void flush() {
        for (const std::string& line : std::exchange(held_, {})) spdlog::info("{}", line);
    }

private:
    void say(std::string line) {
        held_.push_back(std::move(line));
        if (held_.size() > most_held) held_.erase(held_.begin());
        if (!deferred_) flush();
    }
    static constexpr std::size_t most_held = 1000;
    bool deferred_;
    std::vector<std::string> held_;
};

Result<void> run_loop(collect::Session& session, Loop& loop, Outputs& outputs, const UniqueFd& signals,
                      const AuditHooks& hooks, std::optional<sources::Calibration>& calibration, SwitchLog& log) {
    for (;;) {
        switch (loop.wait()) {
            case Loop::Woken::calibrated: learn_prices(session, calibration); break;
            case Loop::Woken::governor: log.step(session); break;
            case Loop::Woken::interval:
                if (auto written = outputs.write(session.interval()); !written) return written;
                break;
            case Loop::Woken::look: session.collect(); break;
            case Loop::Woken::urgent: session.take_events(); break;
            case Loop::Woken::keyboard:
                if (outputs.quit_asked()) return {};
                break;
            case Loop::Woken::targets_gone: return {};
            case Loop::Woken::duration_over:
                if (hooks.stopped) hooks.stopped(0);
                return {};
            case Loop::Woken::stop:
                if (const int signal = received_signal(signals); hooks.stopped) hooks.stopped(signal);
                return {};
        }
    }
}

}  // namespace

Result<UniqueFd> take_stop_signals() {
    ::signal(SIGPIPE, SIG_IGN);
    const sigset_t set = stop_set();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC));
    if (!fd) return Error::from_errno(Failure::failed, "cannot wait for signals", errno);
    return fd;
}

void give_back_stop_signals() {
    ::signal(SIGPIPE, SIG_DFL);
    const sigset_t set = stop_set();
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

struct Outputs::Parts {
    output::View view;
    std::unique_ptr<output::Sink> csv, rows;
    std::unique_ptr<output::Screen> screen;
    std::optional<output::FoldedFile> folded;
};

Outputs::Outputs(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Outputs::Outputs(Outputs&&) noexcept = default;
Outputs::~Outputs() = default;

Result<Outputs> Outputs::open(const AuditOptions& options) {
    auto parts = std::make_unique<Parts>();
    auto view = make_view(options);
    if (!view) return view.error();
    parts->view = std::move(*view);
    if (!options.csv.empty()) {
        auto csv = output::CsvSink::make(options.csv);
        if (!csv) return csv.error();
        parts->csv = std::move(*csv);
    }
    if (!options.folded.empty()) {
        auto folded = output::FoldedFile::make(options.folded);
        if (!folded) return folded.error();
        parts->folded.emplace(std::move(*folded));
    }
    return Outputs(std::move(parts));
}

Result<void> Outputs::show(const AuditOptions& options) {
    if (options.quiet > 0 || options.csv == "-") return {};
    if (!options.plain && ::isatty(STDOUT_FILENO) != 0) {
        auto screen = output::Screen::make(parts_->view);
        if (screen) {
            parts_->screen = std::move(*screen);
            return {};
        }
        spdlog::info("no live screen: {}", screen.error().line());
    }
    auto file = output::OutputFile::open("-");
    if (!file) return file.error();
    parts_->rows = std::make_unique<output::RowStream>(std::move(*file), parts_->view);
    return {};
}

Result<void> Outputs::write(const model::Report& report) {
    if (parts_->csv != nullptr) {
        model::Report matching = report;
        output::keep_matching(matching, parts_->view.filter);
        if (auto written = parts_->csv->write(matching); !written) return written;
    }
    if (parts_->rows != nullptr)
        if (auto written = parts_->rows->write(report); !written) return written;
    if (parts_->screen != nullptr) return parts_->screen->write(report);
    return {};
}

Result<void> Outputs::write_folded(const model::Report& total) {
    if (!parts_->folded) return {};
    return parts_->folded->write(output::folded_evidence(total, parts_->view.filter));
}

void Outputs::leave_screen() { parts_->screen.reset(); }
int Outputs::keyboard_fd() const { return parts_->screen != nullptr ? parts_->screen->fd() : -1; }
bool Outputs::quit_asked() { return parts_->screen != nullptr && parts_->screen->poll_keys(); }

Result<int> audit(const std::vector<const Process*>& processes, const AuditOptions& options, Outputs outputs,
                  const UniqueFd& stop_signals_fd, const AuditHooks& hooks) {
    prefer_this_process();
    symbols::StackTable stacks;  // outlives the sources
    auto sources = attach_sources(processes, options, stacks);
    if (!sources) return sources.error();
    for (const Process* process : processes)
        if (options.quiet == 0)
            spdlog::info("attached to {} ({}), level {}; ^C detaches", process->pid(), output::escape(process->comm()),
                         model::level_name(sources->front()->level()));
    // Beside the audit, and not beside the attach, which it would delay where CPUs are few.
    std::optional<sources::Calibration> calibration;
    if (auto started = sources::Calibration::start(calibration_for(*sources)))
        calibration.emplace(std::move(*started));
    else
        spdlog::warn("the target's slowdown is estimated from assumed figures: {}", started.error().line());
    stacks.open(processes);
    collect::Session session(processes, std::move(*sources), {options.per_cpu, options.per_thread});
    if (options.max_overhead && session.governable()) session.govern(*options.max_overhead);
    if (hooks.attached)
        if (auto started = hooks.attached(); !started) return started.error();
    if (auto shown = outputs.show(options); !shown) return shown.error();
    auto loop = Loop::make(processes, options, stop_signals_fd.get(), outputs.keyboard_fd(),
                           calibration ? calibration->fd() : -1, session.urgent_fds());
    if (!loop) return loop.error();

    SwitchLog log(outputs.keyboard_fd() >= 0 && ::isatty(STDERR_FILENO) != 0);
    auto outcome = run_loop(session, *loop, outputs, stop_signals_fd, hooks, calibration, log);
    learn_prices(session, calibration);
    const model::Report last = session.finish();
    const model::Report total = session.total();
    outputs.leave_screen();
    log.flush();
    if (outcome) outcome = outputs.write(last);
    if (outcome) outcome = outputs.write(total);
    if (outcome) outcome = outputs.write_folded(total);
    if (options.quiet == 0) {
        auto view = make_view(options);
        output::EvidenceView evidence{view ? view->filter : output::MapFilter{}, options.stacks};
        output::SummarySink summary(output::OutputFile::lent(STDERR_FILENO, "stderr"), evidence);
        (void)summary.write(total);
        for (const std::string& remark : stacks.remarks()) spdlog::info("stacks: {}", output::escape(remark));
    }
    if (!outcome) return outcome.error();
    return gate(options, total);
}

}  // namespace mapaudit::cli
