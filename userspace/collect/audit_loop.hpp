// SPDX-License-Identifier: Apache-2.0
//
// The audit while it goes on: waits, takes in, closes intervals, steps the governor, and in the end detaches. Whoever
// runs it learns of all that through an observer; it writes nothing itself.
#pragma once

#include <functional>
#include <optional>

#include "collect/audit_session.hpp"
#include "collect/stop_signals.hpp"
#include "model/overhead.hpp"
#include "model/report.hpp"
#include "util/result.hpp"

namespace mapaudit::collect {

// What auditing costs here, which somebody is finding out meanwhile.
struct PendingPrices {
    int ready_fd = -1;                            // readable once take() need not wait
    std::function<Result<model::Prices>()> take;  // called once; empty: the usual prices stand
};

// Called by the thread that runs the loop, between two waits.
class LoopObserver {
public:
    virtual ~LoopObserver() = default;
    // An interval is over. A failure ends the loop.
    virtual Result<void> on_interval(const model::Report& interval) = 0;
    // The governor has changed the level, or could not.
    virtual void on_switch(const Switch&) {}
    virtual void on_level_kept(const Error&) {}
    // What came of the pending prices.
    virtual void on_prices(const Result<model::Prices>&) {}
    // The keyboard is readable, or the terminal was resized: true ends the loop.
    virtual bool quit_asked() { return false; }
    // A stop signal ends the loop; 0: the duration is over. Before the detach.
    virtual void on_stop(int /*signal*/) {}
};

struct LoopOptions {
    double interval_s = 1;
    std::optional<double> duration_s;
    const StopSignals* stop_signals = nullptr;  // null: no signal ends it
    int keyboard_fd = -1;                       // none
    PendingPrices prices;
};

struct LoopEnd {
    Result<void> outcome;  // what ended it before its time, if anything did
    model::Report last;    // the interval that was open then; the total is the session's
};

// Runs until a stop signal, the end of the duration or of all targets, the user's wish or a failure, then finishes the
// session, in every case: the sources are detached when this returns. Not thread safe.
LoopEnd run_audit(Session& session, const LoopOptions& options, LoopObserver& observer);

}  // namespace mapaudit::collect
