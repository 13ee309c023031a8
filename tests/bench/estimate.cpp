// SPDX-License-Identifier: Apache-2.0
#include "estimate.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <iostream>
#include <regex>

#include "subject.hpp"
#include "tracers.hpp"

namespace mapaudit::bench {
namespace {

constexpr unsigned warm_up_ms = 100, window_ms = 300;

struct Load {
    const char* map;
    const char* load;
    const char* level;
};
constexpr Load loads[] = {
    {"mutex_map", "lookup", "full"},
    {"mutex_map", "mixed", "sampled"},
    {"go_map", "lookup", "full"},
    {"go_map", "lookup", "sampled"},
    {"mutex_map", "mixed-16maps", "full"},
    {"mutex_map", "lookup-4threads-private", "full"},
    {"sharded_map", "lookup-4threads", "full"},
};

double median_of(std::vector<double> values) {
    if (values.empty()) throw BenchError("a median of nothing");
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double mean(const Window& one, const Window& other) { return (one.ns_per_op + other.ns_per_op) / 2; }

// One round: unattached, attached twice, unattached. The auditor's figure is of all that it was attached for, which is
// its two windows: the process spends CPU time on nothing else.
void measure_round(Estimate& estimate, Subject& subject, const std::string& auditor, const std::string& csv) {
    const Window before = subject.measure(window_ms);
    test::Child audit(
        {auditor, "attach", "-p", std::to_string(subject.pid()), "--level", estimate.level, "--plain", "--csv", csv});
    subject.await_attached();
    const Window first = subject.measure(window_ms), second = subject.measure(window_ms);
    audit.send(SIGINT);
    const test::Finished ended = audit.finish();
    if (ended.exit_code != 0)
        throw BenchError("mapaudit attach ended with " + std::to_string(ended.exit_code) + ": " + ended.err);
    subject.await_detached();
    const Window after = subject.measure(window_ms);

    const std::uint64_t done = first.ops + second.ops, seen = total_calls(csv).events.value_or(0);
    if (seen == 0 || seen != done)
        throw BenchError(estimate.map + " " + estimate.load + " " + estimate.level + ": " + std::to_string(seen) +
                         " operations seen, " + std::to_string(done) + " done");
    const double attached_ns = mean(first, second), cost_ns = attached_ns - mean(before, after);
    estimate.cost_ns.push_back(cost_ns);
    estimate.measured_percent.push_back(100 * cost_ns / attached_ns);
    estimate.estimated_percent.push_back(stated_percent(ended.said()));
}

}  // namespace

double Estimate::measured() const { return median_of(measured_percent); }
double Estimate::estimated() const { return median_of(estimated_percent); }

double Estimate::ratio() const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < measured_percent.size(); ++i)
        ratios.push_back(estimated_percent[i] / measured_percent[i]);
    return median_of(ratios);
}

double stated_percent(const std::string& summary) {
    std::smatch match;
    if (!std::regex_search(summary, match, std::regex(R"(Target slowed down: about ([0-9.]+) % of its CPU time)")))
        throw BenchError("the auditor stated no slowdown: " + summary);
    if (summary.find("calibrated on this host") == std::string::npos)
        throw BenchError("the auditor's estimate is not calibrated: " + summary);
    return std::stod(match[1]);
}

std::vector<Estimate> measure_estimates(const std::string& build, unsigned rounds) {
    std::vector<Estimate> estimates;
    for (const Load& load : loads) {
        Estimate estimate{load.map, load.load, load.level, {}, {}, {}};
        for (unsigned round = 0; round < rounds; ++round) {
            std::cerr << "bench: estimate, " << load.map << ' ' << load.load << ' ' << load.level << ", round "
                      << round + 1 << " of " << rounds << std::endl;
            Subject subject(build + "/tests/bench/loaded", load.map, load.load);
            subject.measure(warm_up_ms);
            measure_round(estimate, subject, build + "/userspace/mapaudit", build + "/bench-audit.csv");
        }
        estimates.push_back(std::move(estimate));
    }
    return estimates;
}

void print_estimates(std::ostream& out, const std::vector<Estimate>& estimates) {
    out << "\nestimate against measured, of the target's CPU time\n";
    out << fmt::format("  {:<12} {:<24} {:<8} {:>9} {:>9} {:>10} {:>6}\n", "map", "load", "level", "ns an op",
                       "measured", "estimated", "ratio");
    for (const Estimate& e : estimates)
        out << fmt::format("  {:<12} {:<24} {:<8} {:>9.2f} {:>7.1f} % {:>8.1f} % {:>6.2f}  {} {:.0f} %\n", e.map,
                           e.load, e.level, median_of(e.cost_ns), e.measured(), e.estimated(), e.ratio(),
                           e.within() ? "within" : "NOT within", 100 * estimate_tolerance);
}

void write_estimates_csv(std::ostream& out, const std::vector<Estimate>& estimates, const std::string& machine) {
    out << "map,load,level,rounds,cost_ns_per_op,measured_percent,estimated_percent,ratio,within_25_percent,machine\n";
    for (const Estimate& e : estimates)
        out << fmt::format("{},{},{},{},{:.3f},{:.2f},{:.2f},{:.3f},{},\"{}\"\n", e.map, e.load, e.level,
                           e.measured_percent.size(), median_of(e.cost_ns), e.measured(), e.estimated(), e.ratio(),
                           static_cast<int>(e.within()), machine);
}

}  // namespace mapaudit::bench
