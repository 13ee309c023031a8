// SPDX-License-Identifier: Apache-2.0
#include "collect/session.hpp"

#include <algorithm>
#include <utility>

namespace mapaudit::collect {

using clock = std::chrono::steady_clock;

Session::Session(const std::vector<const Process*>& processes, std::vector<std::unique_ptr<sources::Source>> sources,
                 model::AggregatorOptions options)
    : processes_(processes),
      sources_(std::move(sources)),
      aggregator_(options),
      overhead_(processes_),
      start_(clock::now()),
      last_(start_) {
    for (const Process* process : processes_) names_.push_back(process->comm());
    // What was done since the probes were attached is priced against no CPU time.
    for (const auto& source : sources_) source->collect(aggregator_);
    overhead_.start(activity());
}

double Session::elapsed_s() const {
    return std::chrono::duration<double>((finished_ ? end_ : clock::now()) - start_).count();
}

bool Session::governable() const {
    return std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->has_levels(); });
}

// Sources that have levels are all at the same one.
sources::Level Session::level() const {
    const auto found =
        std::find_if(sources_.begin(), sources_.end(), [](const auto& source) { return source->has_levels(); });
    return (found != sources_.end() ? *found : sources_.front())->level();
}

bool Session::any_alive() const {
    return std::any_of(processes_.begin(), processes_.end(), [](const Process* process) { return process->alive(); });
}

model::Report Session::make_report(model::Scope scope, double interval_s) const {
    model::Report report;
    report.scope = scope;
    report.time = std::chrono::system_clock::now();
    report.elapsed_s = elapsed_s();
    report.interval_s = interval_s;
    for (const auto& source : sources_) {
        const model::Ledger ledger = source->ledger();
        report.ledger.fired += ledger.fired;
        report.ledger.handled += ledger.handled;
        report.ledger.lost.insert(report.ledger.lost.end(), ledger.lost.begin(), ledger.lost.end());
        report.ledger.stacks_dropped += ledger.stacks_dropped;
        report.ledger.evidence_dropped += ledger.evidence_dropped;
        report.self.kernel_bytes += source->kernel_bytes();
    }
    for (std::size_t i = 0; i < processes_.size(); ++i)
        report.targets.push_back(
            {processes_[i]->pid(), names_[i], std::string(sources::level_name(level())), processes_[i]->alive()});
    report.maps = aggregator_.maps();
    return report;
}

void Session::collect() {
    for (const auto& source : sources_) source->collect(aggregator_);
    overhead_.look(activity());
}

void Session::take_events() {
    for (const auto& source : sources_) source->take_events(aggregator_);
}

model::Activity Session::activity() const {
    model::Activity sum;
    for (const auto& source : sources_) sum += source->activity();
    return sum;
}

void Session::fill_overhead(model::Report& report, const model::Overhead& overhead) const {
    report.overhead = overhead;
    report.overhead.budget_percent = budget_percent_;
    for (const auto& source : sources_)
        if (!report.overhead.budget_percent) report.overhead.budget_percent = source->budget_percent();
    report.overhead.switches = switches_;
}

void Session::set_prices(const model::Prices& prices) {
    overhead_.set_prices(prices);
    if (governor_) governor_->set_prices(prices);
    for (const auto& source : sources_) source->set_prices(prices);
}

void Session::govern(double budget_percent) {
    budget_percent_ = budget_percent;
    governor_.emplace(budget_percent, overhead_.prices(), level());
    (void)overhead_.period();
}

Result<std::optional<Switch>> Session::step_governor() {
    if (!governor_ || finished_) return std::optional<Switch>();
    collect();
    const sources::Level from = level();
    const model::Decision decision = governor_->decide(from, overhead_.period());
    if (decision.level == from) return std::optional<Switch>();
    if (auto changed = change_level(decision.level); !changed) return changed.error();
    ++switches_;
    return std::optional<Switch>({from, decision.level, decision.percent, decision.why});
}

Result<void> Session::change_level(sources::Level level) {
    for (const auto& source : sources_) {
        if (!source->has_levels()) continue;
        if (auto changed = source->set_level(level, aggregator_); !changed) return changed;
    }
    report_unseen();
    unseen_since_.reset();
    if (level == sources::Level::events) unseen_since_ = clock::now();
    return {};
}

void Session::report_unseen() {
    watched_.resize(sources_.size());
    for (std::size_t i = 0; i < sources_.size(); ++i)
        if (const auto watched = sources_[i]->watched())
            aggregator_.add_watched(sources_[i]->name(), *watched - std::exchange(watched_[i], *watched));
    if (!unseen_since_) return;
    const auto now = finished_ ? end_ : clock::now();
    for (const auto& source : sources_)
        if (source->has_levels())
            aggregator_.add_unseen(source->name(), std::chrono::duration<double>(now - *unseen_since_).count());
    unseen_since_ = now;
}

std::vector<int> Session::urgent_fds() const {
    std::vector<int> fds;
    for (const auto& source : sources_)
        if (source->urgent_fd() >= 0) fds.push_back(source->urgent_fd());
    return fds;
}

model::Report Session::interval() {
    if (!finished_) collect();
    const auto now = finished_ ? end_ : clock::now();
    const double seconds = std::max(std::chrono::duration<double>(now - last_).count(), 1e-6);
    last_ = now;
    report_unseen();
    model::Report report = make_report(model::Scope::interval, seconds);
    report.rows = aggregator_.close_interval(seconds);
    report.cpu = aggregator_.close_cpu_interval();
    model::share_cpu(report.rows, report.cpu);
    model::count_calls(report.cpu, report.rows);
    const std::uint64_t kernel_bytes = report.self.kernel_bytes;
    fill_overhead(report, overhead_.lap());
    report.self = meter_.lap();
    report.self.kernel_bytes = kernel_bytes;
    return report;
}

// The slowdown is that until the detach begins: while it goes on, the target runs unaudited already, which would be a
// good part of a short audit.
model::Report Session::finish() {
    collect();
    for (const auto& source : sources_) source->detach(aggregator_);
    end_ = clock::now();
    finished_ = true;
    return interval();
}

// The sources know maps by number; the aggregator has their names, and this session the time that counts from the
// attach.
std::vector<model::Evidence> Session::evidence() const {
    std::vector<model::Evidence> all;
    const auto start = std::chrono::duration_cast<std::chrono::nanoseconds>(start_.time_since_epoch()).count();
    const auto since_start = [&](std::uint64_t ns) {
        return std::max(0.0, (static_cast<double>(ns) - static_cast<double>(start)) / 1e9);
    };
    for (const auto& source : sources_)
        for (model::Evidence& row : source->evidence()) {
            row.map = aggregator_.ref(row.map->id);
            row.first_s = since_start(row.first_ns);
            row.last_s = since_start(row.last_ns);
            all.push_back(std::move(row));
        }
    return all;
}

model::Report Session::total() const {
    const double seconds = std::max(elapsed_s(), 1e-6);
    model::Report report = make_report(model::Scope::total, seconds);
    report.rows = aggregator_.totals(seconds);
    report.evidence = evidence();
    report.cpu = aggregator_.cpu_totals();
    model::share_cpu(report.rows, report.cpu);
    model::count_calls(report.cpu, report.rows);
    const std::uint64_t kernel_bytes = report.self.kernel_bytes;
    fill_overhead(report, overhead_.total());
    report.self = meter_.total();
    report.self.kernel_bytes = kernel_bytes;
    return report;
}

}  // namespace mapaudit::collect
