// SPDX-License-Identifier: Apache-2.0
//
// When probes that cost too much to stay may be attached. Pure: told what the audit has cost so far, it says whether
// the window is to be open.
//
//   credit  grows by the budget's share of the CPU time that the target uses, and falls by what the audit costs it;
//           never more than the budget's share of a second is saved up
//   open    at the start; until the credit is used up, and for a moment at least, which may put it into debt
//   shut    until there is credit for a window like the last, or all that can be
//
// So a target that does little is watched all the time and one that does more for a part of it; over a long time none
// pays more than the budget.
#pragma once

#include <algorithm>
#include <optional>

namespace mapaudit::model {

class DutyCycle {
public:
    // A window stays open for as long as this, whatever it costs. To attach takes 10 ms, and many times that on a busy
    // machine.
    static constexpr double shortest_s = 0.02;
    static constexpr double saved_ns = 1e9;  // CPU time whose share is saved up at most

    // 100 and more: the window is never shut.
    // `ahead_s`: of how many seconds of CPU time the share is there at the start.
    explicit DutyCycle(double budget_percent, double ahead_s = 0)
        : budget_(budget_percent / 100),
          most_ns_(budget_ * std::max(saved_ns, ahead_s * 1e9)),
          credit_ns_(budget_ * ahead_s * 1e9) {}

    // Ever rising.
    struct Spent {
        double seconds = 0;        // since the start
        double cost_ns = 0;        // of the audit to the target
        double target_cpu_ns = 0;  // the cost included
    };
    bool always() const { return budget_ >= 1; }
    bool is_open() const { return open_; }
    // Whether it is to be open from now on.
    bool decide(const Spent& spent);
    // The window that it has opened is one from now on, `seconds` after the start: probes are attached.
    void attached(double seconds) {
        if (opened_) opened_->seconds = seconds;
    }

private:
    double budget_, most_ns_, credit_ns_;
    bool open_ = false;
    Spent last_;
    std::optional<Spent> opened_;  // as it was when the window opened last
};

}  // namespace mapaudit::model
