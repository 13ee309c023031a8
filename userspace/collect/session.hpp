// SPDX-License-Identifier: Apache-2.0
//
// One audit from attach to detach: the sources fill the book, the session closes its intervals and makes the reports.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "collect/self_cost.hpp"
#include "model/book.hpp"
#include "model/report.hpp"
#include "sources/source.hpp"
#include "util/process.hpp"

namespace mapaudit::collect {

// Not thread safe. The processes and sources must be attached already.
class Session {
public:
    // `processes` must outlive the session.
    Session(const std::vector<const Process*>& processes, std::vector<std::unique_ptr<sources::Source>> sources,
            model::BookOptions options, std::string level);

    // Takes in what has happened so far, without closing the interval: when a source says it is urgent.
    void collect();
    // Descriptors that say so: readable when collect() should not wait.
    std::vector<int> urgent_fds() const;
    // What happened since the last call.
    model::Report interval();
    // Detaches. The last, shorter interval; then `total`.
    model::Report finish();
    model::Report total() const;

    // Some target is still alive.
    bool any_alive() const;

private:
    model::Report make_report(model::Scope scope, double interval_s) const;
    double elapsed_s() const;

    std::vector<const Process*> processes_;
    std::vector<std::string> names_;
    std::vector<std::unique_ptr<sources::Source>> sources_;
    model::Book book_;
    std::string level_;
    SelfMeter meter_;
    std::chrono::steady_clock::time_point start_, last_, end_;
    bool finished_ = false;
};

}  // namespace mapaudit::collect
