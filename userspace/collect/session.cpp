// SPDX-License-Identifier: Apache-2.0
#include "collect/session.hpp"

#include <algorithm>

namespace mapaudit::collect {

using clock = std::chrono::steady_clock;

Session::Session(const std::vector<const Process*>& processes, std::vector<std::unique_ptr<sources::Source>> sources,
                 model::BookOptions options, std::string level)
    : processes_(processes),
      sources_(std::move(sources)),
      book_(options),
      level_(std::move(level)),
      start_(clock::now()),
      last_(start_) {
    for (const Process* process : processes_) names_.push_back(process->comm());
}

double Session::elapsed_s() const {
    return std::chrono::duration<double>((finished_ ? end_ : clock::now()) - start_).count();
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
        report.self.kernel_bytes += source->kernel_bytes();
    }
    for (std::size_t i = 0; i < processes_.size(); ++i)
        report.targets.push_back({processes_[i]->pid(), names_[i], level_, processes_[i]->alive()});
    report.maps = book_.maps();
    return report;
}

void Session::collect() {
    for (const auto& source : sources_) source->collect(book_);
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
    model::Report report = make_report(model::Scope::interval, seconds);
    report.rows = book_.close_interval(seconds);
    const std::uint64_t kernel_bytes = report.self.kernel_bytes;
    report.self = meter_.lap();
    report.self.kernel_bytes = kernel_bytes;
    return report;
}

model::Report Session::finish() {
    for (const auto& source : sources_) source->detach(book_);
    end_ = clock::now();
    finished_ = true;
    return interval();
}

model::Report Session::total() const {
    const double seconds = std::max(elapsed_s(), 1e-6);
    model::Report report = make_report(model::Scope::total, seconds);
    report.rows = book_.totals(seconds);
    const std::uint64_t kernel_bytes = report.self.kernel_bytes;
    report.self = meter_.total();
    report.self.kernel_bytes = kernel_bytes;
    return report;
}

}  // namespace mapaudit::collect
