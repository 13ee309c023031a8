// SPDX-License-Identifier: Apache-2.0
//
// What the audit costs its targets: their activity, priced, over the CPU time that they used meanwhile.
#pragma once

#include <chrono>
#include <vector>

#include "model/governor.hpp"
#include "model/report.hpp"
#include "util/cpu_clocks.hpp"
#include "util/process.hpp"

namespace mapaudit::collect {

class OverheadMeter {
public:
    // `processes` must outlive it.
    explicit OverheadMeter(const std::vector<const Process*>& processes);

    void set_prices(const model::Prices& prices) { prices_ = prices; }
    const model::Prices& prices() const { return prices_; }

    // From here on, with what `activity` says by now left out.
    void start(const model::Activity& activity);
    // Reads the targets' clocks; `activity` is theirs since the attach. A target that has ended keeps its last reading,
    // with what it had done by then.
    void look(const model::Activity& activity);
    // Since the last lap, since the last period, since the start; all up to the last look.
    model::Overhead lap();
    model::Observation period();
    model::Overhead total() const { return between(start_, latest_); }

private:
    struct Reading {
        std::chrono::steady_clock::time_point time;
        double cpu_ns = 0;
        model::Activity activity;
    };
    model::Overhead between(const Reading& from, const Reading& to) const;

    CpuClocks clocks_;
    model::Prices prices_;
    Reading start_, lap_, period_, latest_;
};

}  // namespace mapaudit::collect
