// SPDX-License-Identifier: Apache-2.0
//
// One audit from attach to detach: the sources fill the aggregator, the session closes its intervals and makes the
// reports.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collect/overhead_meter.hpp"
#include "collect/self_cost.hpp"
#include "model/aggregator.hpp"
#include "model/report.hpp"
#include "sources/source.hpp"
#include "util/process.hpp"

namespace mapaudit::collect {

// One change of the level, for the log.
struct Switch {
    sources::Level from = sources::Level::full, to = sources::Level::full;
    double percent = 0;  // what the audit cost before it, estimated
    std::string why;
};

// Not thread safe. The processes and sources must be attached already.
class Session {
public:
    // `processes` must outlive the session.
    Session(const std::vector<const Process*>& processes, std::vector<std::unique_ptr<sources::Source>> sources,
            model::AggregatorOptions options);

    // What the targets' activity is priced at from now on, what came before included.
    void set_prices(const model::Prices& prices);
    // Whether some source has levels to change.
    bool governable() const;
    // Keeps the estimated cost under `budget_percent` of the targets' CPU time from now on.
    void govern(double budget_percent);
    // One step of that: looks at what has happened since the last one and changes the level if it must. Returns the
    // switch, if there was one. Fails when the level could not be changed; it is as it was then.
    Result<std::optional<Switch>> step_governor();

    // Takes in what has happened so far, without closing the interval.
    void collect();
    // Takes in what cannot wait: when a source says it is urgent.
    void take_events();
    // Descriptors that say so: readable when take_events() should not wait.
    std::vector<int> urgent_fds() const;
    // What happened since the last call.
    model::Report interval();
    // Detaches. The last, shorter interval; then `total`.
    model::Report finish();
    model::Report total() const;

    // What is attached; where sources differ in it, of those whose level can be changed.
    sources::Level level() const;
    // Some target is still alive.
    bool any_alive() const;

private:
    model::Report make_report(model::Scope scope, double interval_s) const;
    model::Activity activity() const;
    void fill_overhead(model::Report& report, const model::Overhead& overhead) const;
    void report_unseen();
    Result<void> change_level(sources::Level level);
    std::vector<model::Evidence> evidence() const;
    double elapsed_s() const;

    std::vector<const Process*> processes_;
    std::vector<std::string> names_;
    std::vector<std::unique_ptr<sources::Source>> sources_;
    model::Aggregator aggregator_;
    SelfMeter meter_;
    OverheadMeter overhead_;
    std::optional<model::Governor> governor_;
    std::optional<double> budget_percent_;
    unsigned switches_ = 0;
    std::optional<std::chrono::steady_clock::time_point> unseen_since_;  // operations are not seen, by the governor
    std::vector<model::Watched> watched_;                                // of each source, as the aggregator was told
    std::chrono::steady_clock::time_point start_, last_, end_;
    bool finished_ = false;
};

}  // namespace mapaudit::collect
