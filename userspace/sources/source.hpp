// SPDX-License-Identifier: Apache-2.0
//
// A way of seeing maps in processes. Every source fills the same aggregator, so that every output works for every
// source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/aggregator.hpp"
#include "model/evidence.hpp"
#include "model/level.hpp"
#include "model/overhead.hpp"
#include "util/result.hpp"

namespace mapaudit::sources {

// What a source does to its targets that has a price, so that no more is measured than is needed.
struct PricedActions {
    bool library = false;      // operations and events of the map library
    bool breakpoints = false;  // probes in programs that were not made for them
};

using model::Level;
using model::level_name;

class Source {
public:
    virtual ~Source() = default;
    // What it calls things; lives as long as the program.
    virtual const model::SourceTraits& traits() const = 0;
    std::string_view name() const { return traits().name; }
    // Adds to the aggregator all that happened since the last call.
    virtual void collect(model::Aggregator& aggregator) = 0;
    // Takes what the kernel tells event by event, before its room for that runs out: the urgent part of collect(),
    // which has been called before.
    virtual void take_events(model::Aggregator& aggregator) { collect(aggregator); }
    // Ends the attachment and adds what was still under way. Targets that have ended are no error.
    virtual void detach(model::Aggregator& aggregator) = 0;
    virtual model::Ledger ledger() const = 0;
    // What is attached now.
    virtual Level level() const = 0;
    // It can be another one; false: this source has but one way of seeing maps, whatever the level of others.
    virtual bool has_levels() const { return true; }
    // Changes it while the target runs; a call is counted once, whichever level it began at. What had been seen until
    // then is in the aggregator when this returns. On failure the level stays.
    virtual Result<void> set_level(Level level, model::Aggregator& aggregator);
    // How often targets did what costs them CPU time, since the attach and up to the last collect().
    virtual model::Activity activity() const = 0;
    // How much of the operations was watched from the attach to the last collect(), where that was not all by the
    // source's own choice; what levels hide is the session's to know.
    virtual std::optional<model::Watched> watched() const { return std::nullopt; }
    // Percent of the targets' CPU time that the source keeps its cost under by itself; nothing: it does not.
    virtual std::optional<double> budget_percent() const { return std::nullopt; }
    virtual PricedActions priced_actions() const { return {}; }
    // What auditing costs here has been found out.
    virtual void set_prices(const model::Prices&) {}
    // What the rare events of the whole run rest on: call stacks with their threads. After detach(), once.
    virtual std::vector<model::Evidence> evidence() { return {}; }
    // Kernel memory held for the audit.
    virtual std::uint64_t kernel_bytes() const = 0;
    // A file descriptor that is readable when take_events() should not wait for the interval's end; -1 for none.
    virtual int urgent_fd() const = 0;
};

}  // namespace mapaudit::sources
