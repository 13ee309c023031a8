// SPDX-License-Identifier: Apache-2.0
//
// The probes on every operation of Go programs' maps, which are attached for a part of the time: as much as a budget
// allows. A thread of its own opens and shuts the window, since the kernel takes 10 ms to attach and 100 to detach.
//
//   attached:   ends  ┌────────────────────┐      a RET must be seen of whatever was seen to begin
//   attached:   begins  ┌──────────────┐
//   counted:              ┌──────────┐            from when all are attached to when the first is not
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "model/aggregator.hpp"
#include "model/duty_cycle.hpp"
#include "model/overhead.hpp"
#include "model/window_estimate.hpp"
#include "sources/attach/uprobe_link.hpp"
#include "sources/go/go_programs.hpp"
#include "util/cpu_clocks.hpp"

namespace mapaudit::sources {

// Where the probes go, of one process.
struct GoSites {
    std::string path;
    int pid = 0;
    std::vector<UprobeSite> begins, ends;  // no ends: operations are only counted
};

class GoWindows {
public:
    // Opens the first window; fails where that fails. `programs` outlives the result.
    static Result<std::unique_ptr<GoWindows>> open(std::vector<GoSites> sites, GoPrograms& programs,
                                                   UprobeMechanism mechanism, const model::DutyCycle& duty);
    ~GoWindows() { shut_for_good(); }

    // How much targets did since the start, in ns of CPU time less what the audit cost them: while a window was open,
    // and while none was. An idle target does nothing either way. Nothing where the window is always open.
    std::optional<model::Watched> watched();
    // Detaches, and opens no more.
    void shut_for_good();
    void set_prices(const model::Prices& prices);
    // Why no window could be opened any more; once. Empty: nothing is wrong.
    std::string take_trouble();

private:
    using clock = std::chrono::steady_clock;
    GoWindows(std::vector<GoSites> sites, GoPrograms& programs, UprobeMechanism mechanism,
              const model::DutyCycle& duty);
    Result<void> attach();
    void detach();
    void run(const std::stop_token& stop);
    model::DutyCycle::Spent look();
    void become(model::Probes probes);

    const std::vector<GoSites> sites_;
    GoPrograms& programs_;
    const UprobeMechanism mechanism_;
    const clock::time_point start_;
    const std::vector<int> ids_;
    model::DutyCycle duty_;  // of the thread, once there is one
    std::vector<UprobeLink> begins_, ends_;

    mutable std::mutex mutex_;  // what follows
    std::condition_variable_any woken_;
    model::Probes probes_ = model::Probes::none;  // since the last look
    CpuClocks cpu_;
    model::Prices prices_;
    // At the last look; how long targets had waited for a CPU, at the beginning of the window.
    struct Seen {
        double cpu_ns = 0, wall_ns = 0;
        model::Activity activity;
    };
    Seen last_;
    std::optional<double> waited_ns_;
    model::WindowEstimate estimate_;
    // Since the start: CPU time while a window was open and while no probe was there, what else was done for other
    // reasons than the audit while probes were moved, for how long that was.
    struct Used {
        double open_ns = 0, clean_ns = 0, moving_ns = 0, moving_wall_ns = 0;
    };
    Used used_, reported_;  // in all, and in the last answer
    model::Watched watched_;
    std::string trouble_;

    std::jthread thread_;  // last: it uses all of these
};

}  // namespace mapaudit::sources
