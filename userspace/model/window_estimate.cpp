// SPDX-License-Identifier: Apache-2.0
#include "model/window_estimate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "model/duty_cycle.hpp"

namespace mapaudit::model {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr std::size_t most_windows = 32;     // a load that changes is followed within a minute, about
constexpr double least_compared_ns = 0.2e9;  // without a probe, for a target's speed to be known
constexpr double least_spare = 0.1;          // of a window: with less, a target may have had none
constexpr double least_work = 0.05;          // of what a target uses in a window
constexpr double longest_quiet_ns = 1e9 * DutyCycle::shortest_s;
// How far the price of a hit may be from what it costs: it is measured on another program, and on a machine that may be
// busy then and not now. Beyond that caches are cold behind a hit, as in cost_ns().
constexpr double price_error = 0.25;
// A target does things in turns: what it should have done in a window it did before or after it, in part.
constexpr double edge_ns = 1e6;
// A window that stays open counts as several, so that it is seen how much they differ.
constexpr double longest_ns = 1e9;

// Student's t: so many standard errors hold 19 of 20 cases, where the error itself rests on so many values less one.
double likely(std::size_t values) {
    constexpr std::array<double, 10> table{12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23};
    if (values < 2) return infinite;
    return values - 2 < table.size() ? table[values - 2] : 2.0 + 2.3 / static_cast<double>(values - 1);
}

// How far off a figure is that was made of all windows, by those that each leave one of them out (the jackknife).
double spread(const std::vector<double>& without_one) {
    const std::size_t n = without_one.size();
    if (n < 2) return infinite;
    double mean = 0, squares = 0;
    for (const double value : without_one) mean += value / static_cast<double>(n);
    for (const double value : without_one) squares += (value - mean) * (value - mean);
    const double error = std::sqrt(squares * static_cast<double>(n - 1) / static_cast<double>(n));
    return std::isfinite(error) ? likely(n) * error : infinite;
}

// A straight line through points, each of which counts as often as its weight says.
class Line {
public:
    void add(double x, double y, double weight) { points_.push_back({x, y, weight}); }
    // By how much it rises at most, in 19 of 20 cases; infinite where the points do not say. Both axes in shares of
    // their means. Nothing falls here but by chance.
    double steepest() const {
        double weights = 0, x = 0, y = 0, xx = 0, xy = 0, squares = 0;
        for (const Point& one : points_) {
            weights += one.weight;
            x += one.weight * one.x;
            y += one.weight * one.y;
        }
        for (const Point& one : points_) {
            const double away = one.x * weights / x - 1;
            xx += one.weight * away * away;
            xy += one.weight * away * (one.y * weights / y - 1);
        }
        if (points_.size() < 3 || x <= 0 || y <= 0 || xx <= 0) return infinite;
        for (const Point& one : points_) {
            const double rest = one.y * weights / y - 1 - xy / xx * (one.x * weights / x - 1);
            squares += one.weight * rest * rest;
        }
        const double error = std::sqrt(squares / (xx * static_cast<double>(points_.size() - 2)));
        return std::max(xy / xx, 0.0) + likely(points_.size() - 1) * error;
    }

private:
    struct Point {
        double x, y, weight;
    };
    std::vector<Point> points_;
};

double calls_of(const Activity& activity) { return static_cast<double>(activity.breakpoints); }

}  // namespace

void WindowEstimate::Sums::add(const Window& window, const Prices& prices, double sign) {
    windows += sign > 0 ? 1 : static_cast<std::size_t>(-1);
    calls += sign * calls_of(window.open.activity);
    wall_ns += sign * window.open.wall_ns;
    cpu_ns += sign * window.open.cpu_ns;
    waited_ns += sign * window.open.waited_ns;
    cost_ns += sign * breakpoints_ns(prices, window.open.activity);
}

void WindowEstimate::add(Probes probes, const Stretch& stretch) {
    const bool begins =
        probes == Probes::counting && (last_ != Probes::counting || windows_.back().open.wall_ns >= longest_ns);
    last_ = probes;
    if (begins || windows_.empty()) windows_.emplace_back();
    if (windows_.size() > most_windows) windows_.pop_front();
    Window& window = windows_.back();
    if (probes == Probes::none) {
        window.clean_wall_ns += stretch.wall_ns;
        window.clean_cpu_ns += stretch.cpu_ns;
    }
    if (probes != Probes::counting) return;
    if (calls_of(window.open.activity) == 0) {
        if (calls_of(stretch.activity) == 0)
            window.quiet_ns += stretch.wall_ns;
        else
            window.woke = window.quiet_ns > longest_quiet_ns;
    }
    window.open.wall_ns += stretch.wall_ns;
    window.open.cpu_ns += stretch.cpu_ns;
    window.open.waited_ns += stretch.waited_ns;
    window.open.activity += stretch.activity;
}

// A window in which a target woke up says nothing of how much it does in a second.
std::optional<WindowEstimate::Interval> WindowEstimate::by_time(const Prices& prices, double work_per_ns) const {
    Sums sums;
    std::vector<const Window*> used;
    for (const Window& window : windows_) {
        if (window.woke || window.open.wall_ns <= 0) continue;
        used.push_back(&window);
        sums.add(window, prices);
    }
    if (work_per_ns <= 0 || sums.calls <= 0) return std::nullopt;
    std::vector<double> without_one;
    Line rate_by_supply;
    for (const Window* window : used) {
        Sums others = sums;
        others.add(*window, prices, -1);
        without_one.push_back(others.calls > 0 ? std::log(others.calls / others.wall_ns) : infinite);
        const double wall_ns = window->open.wall_ns;
        rate_by_supply.add(1 - window->open.waited_ns / wall_ns, calls_of(window->open.activity) / wall_ns, wall_ns);
    }
    const double edges = edge_ns * static_cast<double>(sums.windows) / sums.wall_ns;
    const double factor = std::exp(spread(without_one)) * (1 + edges);
    const double rate = sums.calls / (work_per_ns * sums.wall_ns);
    const double spare = 1 - (sums.cpu_ns + sums.waited_ns) / sums.wall_ns;
    if (!waits_known_ || spare < least_spare) return Interval{rate, rate / factor, infinite};
    // As if all of the load waited for its answers. Such a load slows down in the windows in which its program waits
    // for a CPU, too, by as much; whether this one does, the windows show if they differ in that.
    const double slowed = std::max((1 - work_per_ns) / spare, 1.0), waits = std::min(rate_by_supply.steepest(), 1.0);
    return Interval{rate, rate / factor, rate * (1 + waits * (slowed - 1)) * factor};
}

std::optional<WindowEstimate::Interval> WindowEstimate::by_work(const Prices& prices) const {
    Sums sums;
    for (const Window& window : windows_) sums.add(window, prices);
    if (sums.calls <= 0 || sums.cpu_ns <= 0) return std::nullopt;
    const auto rate = [](const Sums& of, double price) {
        const double work = of.cpu_ns - price * of.cost_ns;
        return work > 0 ? of.calls / work : infinite;
    };
    std::vector<double> without_one;
    for (const Window& window : windows_) {
        if (window.open.cpu_ns <= 0) continue;
        Sums others = sums;
        others.add(window, prices, -1);
        without_one.push_back(others.calls > 0 ? std::log(rate(others, 1)) : infinite);
    }
    const double factor = std::exp(spread(without_one));
    return Interval{std::min(rate(sums, 1), sums.calls / (least_work * sums.cpu_ns)),
                    rate(sums, 1 - price_error) / factor, rate(sums, cold_cache_factor * (1 + price_error)) * factor};
}

WindowEstimate::Scale WindowEstimate::scale(const Prices& prices) const {
    double clean_wall_ns = 0, clean_cpu_ns = 0, cpu_ns = 0, calls = 0;
    for (const Window& window : windows_) {
        clean_wall_ns += window.clean_wall_ns;
        clean_cpu_ns += window.clean_cpu_ns;
        cpu_ns += window.open.cpu_ns;
        calls += calls_of(window.open.activity);
    }
    const double work_per_ns = clean_wall_ns > least_compared_ns ? clean_cpu_ns / clean_wall_ns : 0;
    Scale scale{1, 1e9 * work_per_ns, 0};
    const auto time = by_time(prices, work_per_ns), work = by_work(prices);
    if (!work) return scale;  // no call was seen, and none is made up
    const auto width = [](const Interval& of) { return of.least > 0 ? of.most / of.least : infinite; };
    Interval best = *work;
    // Where they contradict each other from above, windows fell into pauses of the target's: the time says nothing.
    if (time && time->most >= work->least) {
        const bool by_time_first = width(*time) <= width(*work) || work->rate < time->least;
        best.rate = by_time_first ? time->rate : work->rate;
        best.least = std::max(time->least, work->least);
        best.most = std::min(time->most, work->most);
        // From below, the price is too low: both stand.
        if (best.most < best.least) best = {time->rate, work->least, time->most};
        best.rate = std::clamp(best.rate, best.least, best.most);
    }
    scale.work_share = std::min(calls / best.rate / cpu_ns, 1.0);
    scale.relative_error = std::max(best.most / best.rate - 1, 1 - best.least / best.rate);
    if (!std::isfinite(scale.relative_error)) scale.relative_error = infinite;
    return scale;
}

}  // namespace mapaudit::model
