// SPDX-License-Identifier: Apache-2.0
//
// How many calls there were outside the windows in which they are counted, and how sure that is. Pure.
//
// Two ways to tell, of which each has its weakness:
//
//   by work   calls go with what a target does, its CPU time less what the audit costs it. Where nearly all that it
//             uses in a window is that cost, what is left of the difference is the error of the price.
//   by time   a target does as much in a second that is watched as in one that is not. One that waits for answers to
//             its own requests, or is short of CPU time, does less where the audit slows it down: so this is a lower
//             bound. An upper one comes from the time that it had to spare in the windows: where a load waits for
//             answers, its pauses are as long with the audit as without; and it is slower, too, in the windows in
//             which other programs take the CPU. No time to spare, no upper bound.
//
// Each way gives an interval, widened by how much the windows differ from one another; the truth lies in both.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "model/overhead.hpp"

namespace mapaudit::model {

// What targets did in a stretch of time.
struct Stretch {
    double wall_ns = 0;
    double cpu_ns = 0;     // what the audit cost them included
    double waited_ns = 0;  // ready to run, and without a CPU
    Activity activity;
};

// How probes are while a stretch lasts.
enum class Probes {
    counting,  // attached, and what they see counts
    moving,    // being attached or detached: some are hit, and by far not each hit is known
    none,
};

class WindowEstimate {
public:
    void add(Probes probes, const Stretch& stretch);
    // Whether `waited_ns` means anything: false where the kernel does not keep it.
    void set_waits_known(bool known) { waits_known_ = known; }

    struct Scale {
        // A window's work as a share of the CPU time that it took; the work of a second while probes are moved, in ns.
        double work_share = 0, work_per_s = 0;
        // How far off the calls per work may be, as a share of them, in 19 of 20 cases. May be infinite.
        double relative_error = 0;
    };
    Scale scale(const Prices& prices) const;

private:
    // And what came after it, until the next one.
    struct Window {
        Stretch open;
        double quiet_ns = 0;  // before the first hit
        bool woke = false;    // the target: it had done nothing for longer than a window takes
        double clean_wall_ns = 0, clean_cpu_ns = 0;
    };
    struct Sums {
        std::size_t windows = 0;
        double calls = 0, wall_ns = 0, cpu_ns = 0, waited_ns = 0, cost_ns = 0;
        void add(const Window& window, const Prices& prices, double sign = 1);
    };
    struct Interval {
        double rate = 0, least = 0, most = 0;  // calls a ns of work
    };
    std::optional<Interval> by_time(const Prices& prices, double work_per_ns) const;
    std::optional<Interval> by_work(const Prices& prices) const;

    std::deque<Window> windows_;  // the latest ones
    Probes last_ = Probes::none;
    bool waits_known_ = true;
};

}  // namespace mapaudit::model
