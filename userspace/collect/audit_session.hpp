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

#include "collect/levels.hpp"
#include "collect/overhead_meter.hpp"
#include "collect/self_cost.hpp"
#include "model/aggregator.hpp"
#include "model/report.hpp"
#include "sources/source.hpp"
#include "util/process.hpp"

namespace mapaudit::collect {

// Not thread safe. The processes and sources must be attached already.
class Session {
public:
    // `processes` must outlive the session. Neither they nor the sources are none.
    Session(const std::vector<const Process*>& processes, std::vector<std::unique_ptr<sources::Source>> sources,
            model::AggregatorOptions options);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const std::vector<const Process*>& processes() const { return processes_; }

    // What the targets' activity is priced at from now on, what came before included.
    void set_prices(const model::Prices& prices);
    // Whether some source has levels to change.
    bool governable() const { return levels_.governable(); }
    // Keeps the estimated cost under `budget_percent` of the targets' CPU time from now on, as far as `range` allows.
    void govern(double budget_percent, model::LevelRange range);
    bool governed() const { return levels_.governed(); }
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
    // Detaches and returns the last, shorter interval; nothing is taken in any more. Once.
    model::Report finish();
    // The report of the whole run, the same however often it is asked for. After finish().
    const model::Report& total() const;

    // What is attached; where sources differ in it, of those whose level can be changed.
    sources::Level level() const { return levels_.current(); }
    // Some target is still alive.
    bool any_alive() const;

private:
    using TimePoint = std::chrono::steady_clock::time_point;

    model::Report make_report(model::Scope scope, double interval_s) const;
    model::Report make_total();
    model::Activity activity() const;
    void fill_overhead(model::Report& report, const model::Overhead& overhead) const;
    std::vector<model::Evidence> take_evidence();
    TimePoint now() const;
    double elapsed_s() const;

    std::vector<const Process*> processes_;
    std::vector<std::string> names_;
    std::vector<std::unique_ptr<sources::Source>> sources_;
    Levels levels_;
    model::Aggregator aggregator_;
    SelfMeter meter_;
    OverheadMeter overhead_;
    TimePoint start_, last_;
    std::optional<TimePoint> end_;        // detached
    std::optional<model::Report> total_;  // since then
};

}  // namespace mapaudit::collect
