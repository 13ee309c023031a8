// SPDX-License-Identifier: Apache-2.0
//
// The level of an audit's sources: the governor's steps, each a switch of those that have levels, and what nobody saw
// of the operations meanwhile.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/aggregator.hpp"
#include "model/governor.hpp"
#include "sources/source.hpp"
#include "util/result.hpp"

namespace mapaudit::collect {

// One change of the level, for the log.
struct Switch {
    sources::Level from = sources::Level::full, to = sources::Level::full;
    double percent = 0;  // what the audit cost before it, estimated
    std::string why;
};

// Not thread safe.
class Levels {
public:
    using Sources = std::vector<std::unique_ptr<sources::Source>>;
    using TimePoint = std::chrono::steady_clock::time_point;

    // `sources`, one at least, outlive it.
    explicit Levels(const Sources& sources) : sources_(sources), watched_(sources.size()) {}
    Levels(const Levels&) = delete;
    Levels& operator=(const Levels&) = delete;

    // Whether some source has levels to change.
    bool governable() const;
    // What is attached; where sources differ in it, of those whose level can be changed.
    sources::Level current() const;
    // Keeps the estimated cost under `budget_percent` of the targets' CPU time from now on, as far as `range` allows.
    void govern(double budget_percent, model::LevelRange range, const model::Prices& prices);
    bool governed() const { return governor_.has_value(); }
    void set_prices(const model::Prices& prices);
    // One step of that: holds the period against the budget and changes the level if it must. Returns the switch, if
    // there was one. Fails when the level could not be changed; it is as it was then.
    Result<std::optional<Switch>> step(const model::Observation& period, model::Aggregator& aggregator);
    // Tells the aggregator what of the operations was not watched since it was last told.
    void report_unseen(model::Aggregator& aggregator, TimePoint now);

    unsigned switches() const { return switches_; }
    // The budget, or one that a source keeps by itself.
    std::optional<double> budget_percent() const;

private:
    Result<void> change(sources::Level level, model::Aggregator& aggregator);

    const Sources& sources_;
    std::optional<model::Governor> governor_;
    std::optional<double> budget_percent_;
    unsigned switches_ = 0;
    std::optional<TimePoint> unseen_since_;  // operations are not seen, by the governor's decision
    std::vector<model::Watched> watched_;    // of each source, as the aggregator was told
};

}  // namespace mapaudit::collect
