// SPDX-License-Identifier: Apache-2.0
#include "collect/audit_session.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mapaudit::collect {

using clock = std::chrono::steady_clock;

Session::Session(const std::vector<const Process*>& processes, std::vector<std::unique_ptr<sources::Source>> sources,
                 model::AggregatorOptions options)
    : processes_(processes),
      sources_(std::move(sources)),
      levels_(sources_),
      aggregator_(options),
      overhead_(processes_),
      start_(clock::now()),
      last_(start_) {
    for (const Process* process : processes_) names_.push_back(process->comm());
    // What was done since the probes were attached is priced against no CPU time.
    for (const auto& source : sources_) source->collect(aggregator_);
    overhead_.start(activity());
}

Session::TimePoint Session::now() const { return end_.value_or(clock::now()); }

double Session::elapsed_s() const { return std::chrono::duration<double>(now() - start_).count(); }

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
    report.overhead.budget_percent = levels_.budget_percent();
    report.overhead.switches = levels_.switches();
}

void Session::set_prices(const model::Prices& prices) {
    overhead_.set_prices(prices);
    levels_.set_prices(prices);
    for (const auto& source : sources_) source->set_prices(prices);
}

void Session::govern(double budget_percent, model::LevelRange range) {
    levels_.govern(budget_percent, range, overhead_.prices());
    (void)overhead_.period();
}

Result<std::optional<Switch>> Session::step_governor() {
    if (!governed() || end_) return std::optional<Switch>();
    collect();
    return levels_.step(overhead_.period(), aggregator_);
}

std::vector<int> Session::urgent_fds() const {
    std::vector<int> fds;
    for (const auto& source : sources_)
        if (source->urgent_fd() >= 0) fds.push_back(source->urgent_fd());
    return fds;
}

model::Report Session::interval() {
    if (!end_) collect();
    const TimePoint until = now();
    const double seconds = std::max(std::chrono::duration<double>(until - last_).count(), 1e-6);
    last_ = until;
    levels_.report_unseen(aggregator_, until);
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
    assert(!end_);
    collect();
    for (const auto& source : sources_) source->detach(aggregator_);
    end_ = clock::now();
    model::Report last = interval();
    total_ = make_total();
    return last;
}

// The sources know maps by number; the aggregator has their names, and this session the time that counts from the
// attach. They give their evidence once.
std::vector<model::Evidence> Session::take_evidence() {
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

model::Report Session::make_total() {
    const double seconds = std::max(elapsed_s(), 1e-6);
    model::Report report = make_report(model::Scope::total, seconds);
    report.rows = aggregator_.totals(seconds);
    report.evidence = take_evidence();
    report.cpu = aggregator_.cpu_totals();
    model::share_cpu(report.rows, report.cpu);
    model::count_calls(report.cpu, report.rows);
    const std::uint64_t kernel_bytes = report.self.kernel_bytes;
    fill_overhead(report, overhead_.total());
    report.self = meter_.total();
    report.self.kernel_bytes = kernel_bytes;
    return report;
}

const model::Report& Session::total() const { return total_.value(); }

}  // namespace mapaudit::collect
