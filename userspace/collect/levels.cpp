// SPDX-License-Identifier: Apache-2.0
#include "collect/levels.hpp"

#include <algorithm>
#include <utility>

namespace mapaudit::collect {
namespace {

bool has_levels(const std::unique_ptr<sources::Source>& source) { return source->has_levels(); }

}  // namespace

bool Levels::governable() const { return std::any_of(sources_.begin(), sources_.end(), has_levels); }

// Sources that have levels are all at the same one.
sources::Level Levels::current() const {
    const auto found = std::find_if(sources_.begin(), sources_.end(), has_levels);
    return (found != sources_.end() ? *found : sources_.front())->level();
}

void Levels::govern(double budget_percent, model::LevelRange range, const model::Prices& prices) {
    budget_percent_ = budget_percent;
    governor_.emplace(budget_percent, prices, range);
}

void Levels::set_prices(const model::Prices& prices) {
    if (governor_) governor_->set_prices(prices);
}

std::optional<double> Levels::budget_percent() const {
    std::optional<double> budget = budget_percent_;
    for (const auto& source : sources_)
        if (!budget) budget = source->budget_percent();
    return budget;
}

Result<std::optional<Switch>> Levels::step(const model::Observation& period, model::Aggregator& aggregator) {
    if (!governor_) return std::optional<Switch>();
    const sources::Level from = current();
    const model::Decision decision = governor_->decide(from, period);
    if (decision.level == from) return std::optional<Switch>();
    if (auto changed = change(decision.level, aggregator); !changed) return changed.error();
    ++switches_;
    return std::optional<Switch>({from, decision.level, decision.percent, decision.why});
}

Result<void> Levels::change(sources::Level level, model::Aggregator& aggregator) {
    for (const auto& source : sources_) {
        if (!source->has_levels()) continue;
        if (auto changed = source->set_level(level, aggregator); !changed) return changed;
    }
    const auto now = std::chrono::steady_clock::now();
    report_unseen(aggregator, now);
    unseen_since_.reset();
    if (level == sources::Level::events) unseen_since_ = now;
    return {};
}

void Levels::report_unseen(model::Aggregator& aggregator, TimePoint now) {
    for (std::size_t i = 0; i < sources_.size(); ++i)
        if (const auto watched = sources_[i]->watched())
            aggregator.add_watched(sources_[i]->name(), *watched - std::exchange(watched_[i], *watched));
    if (!unseen_since_) return;
    for (const auto& source : sources_)
        if (source->has_levels())
            aggregator.add_unseen(source->name(), std::chrono::duration<double>(now - *unseen_since_).count());
    unseen_since_ = now;
}

}  // namespace mapaudit::collect
