// SPDX-License-Identifier: Apache-2.0
//
// A source that sees what a test makes up, and notes what it is asked for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "sources/source.hpp"

namespace mapaudit::collect {

// What it saw and was asked for; outlives the source.
struct Faked {
    int collects = 0, events = 0, detaches = 0, evidence_asked = 0;
    std::uint64_t calls_each_collect = 0, calls = 0;
    std::uint64_t operations_each_collect = 0;  // for the slowdown
    std::vector<sources::Level> levels;         // that were set
    std::optional<Error> level_refused;
    model::Prices prices;
    int urgent_fd = -1;
    std::function<void()> on_events;
    std::vector<model::Evidence> evidence;
};

inline constexpr model::SourceTraits fake_traits{.name = "fake"};

class FakeSource final : public sources::Source {
public:
    static constexpr model::MapId map{1, 0, 1};

    explicit FakeSource(Faked& faked) : faked_(faked) {}
    const model::SourceTraits& traits() const override { return fake_traits; }
    void collect(model::Aggregator& aggregator) override {
        ++faked_.collects;
        if (faked_.calls_each_collect != 0) add(aggregator, faked_.calls_each_collect);
        auto& operations = level_ == sources::Level::full ? activity_.timed : activity_.counted;
        operations += faked_.operations_each_collect;
    }
    void take_events(model::Aggregator& aggregator) override {
        ++faked_.events;
        add(aggregator, 1);
        if (faked_.on_events) faked_.on_events();
    }
    void detach(model::Aggregator&) override { ++faked_.detaches; }
    model::Ledger ledger() const override { return {}; }
    sources::Level level() const override { return level_; }
    Result<void> set_level(sources::Level level, model::Aggregator&) override {
        if (faked_.level_refused) return *faked_.level_refused;
        faked_.levels.push_back(level);
        level_ = level;
        return {};
    }
    model::Activity activity() const override { return activity_; }
    void set_prices(const model::Prices& prices) override { faked_.prices = prices; }
    // Once, as the contract has it.
    std::vector<model::Evidence> evidence() override {
        ++faked_.evidence_asked;
        return std::exchange(faked_.evidence, {});
    }
    std::uint64_t kernel_bytes() const override { return 0; }
    int urgent_fd() const override { return faked_.urgent_fd; }

private:
    void add(model::Aggregator& aggregator, std::uint64_t calls) {
        faked_.calls += calls;
        model::MapInfo info;
        info.source = &fake_traits;
        info.name = "m";
        aggregator.describe(map, info);
        model::Counts counts;
        counts.calls = calls;
        aggregator.add({map, model::Op::lookup, 0, 0}, counts);
    }

    Faked& faked_;
    sources::Level level_ = sources::Level::full;
    model::Activity activity_;
};

inline std::vector<std::unique_ptr<sources::Source>> one_source(Faked& faked) {
    std::vector<std::unique_ptr<sources::Source>> sources;
    sources.push_back(std::make_unique<FakeSource>(faked));
    return sources;
}

inline std::uint64_t lookups(const model::Report& report) {
    std::uint64_t calls = 0;
    for (const model::Row& row : report.rows)
        if (row.op == model::Op::lookup) calls += row.calls;
    return calls;
}

}  // namespace mapaudit::collect
