// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_windows.hpp"

#include <algorithm>
#include <utility>

#include "util/run_delays.hpp"

namespace mapaudit::sources {
namespace {

// Between two looks at what an open window costs, and at whether one can be afforded again.
constexpr auto look_open = std::chrono::milliseconds(5), look_shut = std::chrono::milliseconds(20);

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
      ids_(ids_of(sites_)),
      duty_(duty),
      cpu_(ids_) {
    last_.activity = activity_of(programs_.ledger());
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
    become(model::Probes::moving);
    for (const auto& [links, kind] : {std::pair{&ends_, GoProbes::ends}, std::pair{&begins_, GoProbes::operations}}) {
        for (const GoSites& one : sites_) {
            const auto& sites = kind == GoProbes::ends ? one.ends : one.begins;
            if (sites.empty()) continue;
            auto link = UprobeLink::attach(mechanism_, programs_.program_fd(kind), one.path, one.pid, sites);
            if (!link) {
                begins_.clear();
                ends_.clear();
                become(model::Probes::none);
                return link.error();
            }
            links->push_back(std::move(*link));
        }
    }
    become(model::Probes::counting);
    duty_.attached(seconds(clock::now() - start_));
    return {};
}

void GoWindows::detach() {
    become(model::Probes::moving);
    begins_.clear();
    ends_.clear();
    become(model::Probes::none);
}

// While probes go, the kernel hits those that are still there without a program that would count the hits.
void GoWindows::become(model::Probes probes) {
    (void)look();
    const std::lock_guard lock(mutex_);
    const bool was_open = std::exchange(probes_, probes) == model::Probes::counting;
    programs_.open_window(probes == model::Probes::counting);
    if (was_open == (probes == model::Probes::counting)) return;
    const auto waited_ns = run_delays_ns(ids_);
    if (was_open && waited_ns && waited_ns_)
        estimate_.add(model::Probes::counting, {0, 0, std::max(*waited_ns - *waited_ns_, 0.0), {}});
    estimate_.set_waits_known(waited_ns.has_value());
    waited_ns_ = waited_ns;
}

// Adds what targets did since the last look to the window, or to the time without one.
model::DutyCycle::Spent GoWindows::look() {
    const std::lock_guard lock(mutex_);
    const model::Activity activity = activity_of(programs_.ledger());
    const Seen now{cpu_.read().value_or(last_.cpu_ns), 1e9 * seconds(clock::now() - start_), activity};
    const model::Stretch stretch{now.wall_ns - last_.wall_ns, now.cpu_ns - last_.cpu_ns, 0, activity - last_.activity};
    estimate_.add(probes_, stretch);
    switch (probes_) {
        case model::Probes::counting: used_.open_ns += stretch.cpu_ns; break;
        case model::Probes::none: used_.clean_ns += stretch.cpu_ns; break;
        case model::Probes::moving:
            used_.moving_ns += std::max(stretch.cpu_ns - model::breakpoints_ns(prices_, stretch.activity), 0.0);
            used_.moving_wall_ns += stretch.wall_ns;
    }
    last_ = now;
    return {now.wall_ns / 1e9, model::cost_ns(prices_, activity), now.cpu_ns};
}

std::optional<model::Watched> GoWindows::watched() {
    if (duty_.always()) return std::nullopt;
    (void)look();
    const std::lock_guard lock(mutex_);
    const model::WindowEstimate::Scale scale = estimate_.scale(prices_);
    // A target that was busy while probes were moved was so, in part, because of them.
    const auto unseen_ns = [&](const Used& used) {
        return used.clean_ns + std::min(used.moving_ns, scale.work_per_s * used.moving_wall_ns / 1e9);
    };
    watched_.seen += scale.work_share * (used_.open_ns - reported_.open_ns);
    watched_.unseen += std::max(unseen_ns(used_) - unseen_ns(reported_), 0.0);
    watched_.relative_error = scale.relative_error;
    watched_.scale = used_.open_ns > 0 ? unseen_ns(used_) / (scale.work_share * used_.open_ns) : 0;
    reported_ = used_;
    return watched_;
}

void GoWindows::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock(mutex_);
            (void)woken_.wait_for(lock, stop, duty_.is_open() ? look_open : look_shut, [] { return false; });
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
}

std::string GoWindows::take_trouble() {
    const std::lock_guard lock(mutex_);
    return std::exchange(trouble_, {});
}

}  // namespace mapaudit::sources
