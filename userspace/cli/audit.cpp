// SPDX-License-Identifier: Apache-2.0
#include "cli/audit.hpp"

#include <fmt/chrono.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include "cli/attach_sources.hpp"
#include "collect/audit_loop.hpp"
#include "collect/audit_session.hpp"
#include "collect/gates.hpp"
#include "output/format.hpp"
#include "output/ledger.hpp"
#include "sources/host/calibration.hpp"
#include "sources/usdt/usdt_source.hpp"
#include "symbols/stack_table.hpp"

namespace mapaudit::cli {
namespace {

// On a machine that its target keeps busy, attaching and detaching would wait for many time slices; what is done in
// between is far under a hundredth of a core. Where it is not permitted, it takes longer.
void prefer_this_process() { (void)::setpriority(PRIO_PROCESS, 0, -20); }

sources::CalibrationRequest calibration_for(const Sources& attached) {
    sources::CalibrationRequest request;
    for (const auto& source : attached) {
        const sources::PricedActions actions = source->priced_actions();
        if (actions.library) request.attach_library = sources::attach_library;
        request.breakpoints |= actions.breakpoints;
    }
    return request;
}

void say_assumed(const Error& error) {
    spdlog::warn("the target's slowdown is estimated from assumed figures: {}", error.line());
}

std::optional<sources::Calibration> start_calibration(const Sources& attached) {
    auto started = sources::Calibration::start(calibration_for(attached));
    if (started) return std::move(*started);
    say_assumed(started.error());
    return {};
}

// Hands the loop's news to the outputs, the log and the hooks. A switch of the level is one line, at once; on a
// terminal that shows the live screen, which it would be drawn over, after that.
class Observer final : public collect::LoopObserver {
public:
    Observer(Outputs& outputs, const AuditHooks& hooks)
        : outputs_(outputs), hooks_(hooks), deferred_(outputs.keyboard_fd() >= 0 && ::isatty(STDERR_FILENO) != 0) {}

    Result<void> on_interval(const model::Report& interval) override { return outputs_.write(interval); }
    void on_switch(const collect::Switch& made) override {
        say(fmt::format("{:%H:%M:%S}Z level {} -> {}: {} (estimated slowdown {:.2f} %)",
                        fmt::gmtime(std::time(nullptr)), model::level_name(made.from), model::level_name(made.to),
                        made.why, made.percent));
    }
    void on_level_kept(const Error& error) override { say(fmt::format("the level stays: {}", error.line())); }
    void on_prices(const Result<model::Prices>& prices) override {
        if (prices)
            spdlog::debug("calibrated what auditing costs here");
        else
            say_assumed(prices.error());
    }
    bool quit_asked() override { return outputs_.quit_asked(); }
    void on_stop(int signal) override {
        if (hooks_.stopped) hooks_.stopped(signal);
    }

    void flush() {
        for (const std::string& line : std::exchange(held_, {})) spdlog::info("{}", line);
    }

private:
    static constexpr std::size_t most_held = 1000;

    void say(std::string line) {
        held_.push_back(std::move(line));
        if (held_.size() > most_held) held_.erase(held_.begin());
        if (!deferred_) flush();
    }

    Outputs& outputs_;
    const AuditHooks& hooks_;
    bool deferred_;
    std::vector<std::string> held_;
};

// At level auto nobody has asked for less than the default budget, or for more.
std::optional<double> budget_of(const AuditOptions& options) {
    if (options.max_overhead || options.level) return options.max_overhead;
    return sources::automatic_budget_percent;
}

// Whoever names a budget wants it kept; whoever names none wants every operation counted.
model::LevelRange range_of(const AuditOptions& options) {
    return {options.level.value_or(model::Level::full),
            options.max_overhead ? model::Level::events : model::Level::sampled};
}

void say_attached(const std::vector<const Process*>& processes, const AuditOptions& options, model::Level level) {
    const std::string name =
        options.level ? std::string(model::level_name(level)) : fmt::format("auto, now {}", model::level_name(level));
    for (const Process* process : processes)
        spdlog::info("attached to {} ({}), level {}; ^C detaches", process->pid(), output::escape(process->comm()),
                     name);
}

// What happened is said, whether a gate stands there or not.
int gate(const AuditOptions& options, const model::Report& total) {
    const collect::Breaches breaches = collect::breaches_in(total);
    if (breaches.lost != 0) spdlog::warn("{}", output::ledger_line(total.ledger));
    if (breaches.conflicts != 0) spdlog::warn("conflicting access observed {} times", breaches.conflicts);
    return collect::exit_code({options.fail_on_loss, options.fail_on_conflict}, breaches);
}

Result<void> write_end(Outputs& outputs, const model::Report& last, const model::Report& total) {
    if (auto written = outputs.write(last); !written) return written;
    if (auto written = outputs.write(total); !written) return written;
    return outputs.write_folded(total);
}

}  // namespace

Result<int> audit(const std::vector<const Process*>& processes, const AuditOptions& options, Outputs outputs,
                  const collect::StopSignals& stop_signals, const AuditHooks& hooks) {
    prefer_this_process();
    symbols::StackTable stacks;  // outlives the sources
    auto sources = attach_sources(processes, source_kinds(), options.source, source_request(options, stacks));
    if (!sources) return sources.error();
    if (options.quiet == 0) say_attached(processes, options, sources->front()->level());
    // Beside the audit, and not beside the attach, which it would delay where CPUs are few.
    std::optional<sources::Calibration> calibration = start_calibration(*sources);
    stacks.open(processes);
    collect::Session session(processes, std::move(*sources), {options.per_cpu, options.per_thread});
    if (const auto budget = budget_of(options); budget && session.governable())
        session.govern(*budget, range_of(options));
    if (hooks.attached)
        if (auto started = hooks.attached(); !started) return started.error();
    if (auto shown = outputs.show(options); !shown) return shown.error();

    collect::LoopOptions loop{options.interval_s, options.duration_s, &stop_signals, outputs.keyboard_fd(), {}};
    if (calibration) loop.prices = {calibration->fd(), [&calibration] { return calibration->finish(); }};
    Observer observer(outputs, hooks);
    auto [outcome, last] = collect::run_audit(session, loop, observer);
    calibration.reset();
    outputs.leave_screen();
    observer.flush();
    if (outcome) outcome = write_end(outputs, last, session.total());
    if (options.quiet == 0) {
        outputs.summarize(session.total(), options);
        for (const std::string& remark : stacks.remarks()) spdlog::info("stacks: {}", output::escape(remark));
    }
    if (!outcome) return outcome.error();
    return gate(options, session.total());
}

}  // namespace mapaudit::cli
