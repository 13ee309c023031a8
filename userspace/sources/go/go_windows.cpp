// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_windows.hpp"

#include <algorithm>
#include <utility>

namespace mapaudit::sources {
namespace {

// Between two looks at what an open window costs, and at whether one can be afforded again.
constexpr auto look_open = std::chrono::milliseconds(5), look_shut = std::chrono::milliseconds(20);

// What a target does beside what it is made to do for the audit is the difference of two figures, of which one is an
// estimate: it is no less than this share of the whole, and the estimate is off by as much as the next.
constexpr double least_work = 0.05, price_error = 0.25;
// Its speed is compared with that of this much time without a window, at least; how far off that then is.
constexpr double least_compared_ns = 0.2e9, rate_error = 0.05;

std::vector<int> ids_of(const std::vector<GoSites>& sites) {
    std::vector<int> ids;
    for (const GoSites& one : sites) ids.push_back(one.pid);
    return ids;
}

double seconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

GoWindows::GoWindows(std::vector<GoSites> sites, GoPrograms& programs, UprobeMechanism mechanism,
                     const model::DutyCycle& duty)
    : sites_(std::move(sites)),
      programs_(programs),
      mechanism_(mechanism),
      start_(clock::now()),
      duty_(duty),
      cpu_(ids_of(sites_)) {
    last_.cpu_ns = cpu_.read().value_or(0);
}

Result<std::unique_ptr<GoWindows>> GoWindows::open(std::vector<GoSites> sites, GoPrograms& programs,
                                                   UprobeMechanism mechanism, const model::DutyCycle& duty) {
    std::unique_ptr<GoWindows> windows(new GoWindows(std::move(sites), programs, mechanism, duty));
    (void)windows->duty_.decide(windows->look());
    if (auto attached = windows->attach(); !attached) return attached.error();
    if (!windows->duty_.always())
        windows->thread_ = std::jthread([raw = windows.get()](const std::stop_token& stop) { raw->run(stop); });
    return windows;
}

Result<void> GoWindows::attach() {
    programs_.forget_inside();
    for (const auto& [links, kind] : {std::pair{&ends_, GoProbes::ends}, std::pair{&begins_, GoProbes::operations}}) {
        for (const GoSites& one : sites_) {
            const auto& sites = kind == GoProbes::ends ? one.ends : one.begins;
            if (sites.empty()) continue;
            auto link = UprobeLink::attach(mechanism_, programs_.program_fd(kind), one.path, one.pid, sites);
            if (!link) {
                begins_.clear();
                ends_.clear();
                return link.error();
            }
            links->push_back(std::move(*link));
        }
    }
    (void)look();
    const std::lock_guard lock(mutex_);
    open_ = true;
    programs_.open_window(true);
    return {};
}

void GoWindows::detach() {
    (void)look();
    {
        const std::lock_guard lock(mutex_);
        open_ = false;
        programs_.open_window(false);
    }
    begins_.clear();
    ends_.clear();
}

// Aggregators what targets did since the last look to the window, or to the time without one.
model::DutyCycle::Spent GoWindows::look() {
    const std::lock_guard lock(mutex_);
    const model::Activity activity = activity_of(programs_.ledger());
    const Used now{cpu_.read().value_or(last_.cpu_ns), model::breakpoints_ns(prices_, activity),
                   1e9 * seconds(clock::now() - start_)};
    Used& sum = open_ ? seen_ : unseen_;
    sum.cpu_ns += now.cpu_ns - last_.cpu_ns;
    sum.cost_ns += now.cost_ns - last_.cost_ns;
    sum.wall_ns += now.wall_ns - last_.wall_ns;
    last_ = now;
    return {now.wall_ns / 1e9, model::cost_ns(prices_, activity), now.cpu_ns};
}

std::optional<model::Watched> GoWindows::watched() {
    if (duty_.always()) return std::nullopt;
    (void)look();
    const std::lock_guard lock(mutex_);
    const auto work = [](const Used& used) { return std::max(used.cpu_ns - used.cost_ns, least_work * used.cpu_ns); };
    // A target does no more in a second that is watched than in one that is not. One that is not short of CPU time does
    // as much: of such a target that is known better than what the audit costs it.
    double share = seen_.cpu_ns > 0 ? work(seen_) / seen_.cpu_ns : 0;
    watched_.relative_error = share > 0 ? price_error * (1 - share) / share : 0;
    if (unseen_.wall_ns > least_compared_ns && seen_.cpu_ns > 0) {
        const double most = work(unseen_) / unseen_.wall_ns * seen_.wall_ns / seen_.cpu_ns;
        if (most < share) {
            share = most;
            watched_.relative_error = rate_error;
        }
    }
    watched_.seen += share * (seen_.cpu_ns - reported_seen_.cpu_ns);
    watched_.unseen += std::max(work(unseen_) - work(reported_unseen_), 0.0);
    reported_seen_ = seen_;
    reported_unseen_ = unseen_;
    return watched_;
}

void GoWindows::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock(mutex_);
            (void)woken_.wait_for(lock, stop, open_ ? look_open : look_shut, [] { return false; });
        }
        if (stop.stop_requested()) return;
        const bool was_open = duty_.is_open(), is_open = duty_.decide(look());
        if (is_open == was_open) continue;
        if (!is_open) {
            detach();
        } else if (auto attached = attach(); !attached) {
            const std::lock_guard lock(mutex_);
            if (attached.error().kind != Failure::no_target) trouble_ = attached.error().line();
            return;
        }
    }
}

void GoWindows::shut_for_good() {
    if (thread_.joinable()) {
        thread_.request_stop();
        thread_.join();
    }
    detach();
}

void GoWindows::set_prices(const model::Prices& prices) {
    (void)look();
    const std::lock_guard lock(mutex_);
    prices_ = prices;
    last_.cost_ns = model::breakpoints_ns(prices_, activity_of(programs_.ledger()));
}

std::string GoWindows::take_trouble() {
    const std::lock_guard lock(mutex_);
    return std::exchange(trouble_, {});
}

}  // namespace mapaudit::sources
