// SPDX-License-Identifier: Apache-2.0
#include "scale/scale_point.hpp"

#include <signal.h>
#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <regex>
#include <sstream>

#include "subject.hpp"
#include "support/child.hpp"
#include "tracers.hpp"

namespace mapaudit::bench {
namespace {

using Clock = std::chrono::steady_clock;

// The audited warm-up outlasts what the auditor does once: its calibration, and the first touch of each map's counts.
constexpr unsigned warm_up_ms = 200, audited_warm_up_ms = 1000, plain_ms = 800, audited_ms = 2000;

struct LoadWindow {
    double cpu_ns_per_op = 0, ops_per_s = 0;
    std::uint64_t ops = 0;
};

class Load {
public:
    Load(const std::string& binary, const ScalePoint& point)
        : child_({binary, std::to_string(point.maps), std::to_string(point.threads), std::to_string(point.rate),
                  std::to_string(point.keys), point.chained ? "chained" : "independent"},
                 test::Child::Input::pipe) {}

    pid_t pid() const { return child_.pid(); }

    LoadWindow measure(unsigned ms) {
        std::optional<std::string> answer;
        if (child_.write_line("measure " + std::to_string(ms))) answer = child_.read_line();
        if (!answer) throw BenchError("the load died: " + child_.err());
        std::istringstream words(*answer);
        double cpu_ns = 0, wall_ns = 0;
        LoadWindow window;
        if (!(words >> cpu_ns >> window.ops >> wall_ns) || window.ops == 0)
            throw BenchError("the load did nothing: " + *answer);
        window.cpu_ns_per_op = cpu_ns / static_cast<double>(window.ops);
        window.ops_per_s = static_cast<double>(window.ops) / wall_ns * 1e9;
        return window;
    }

private:
    test::Child child_;
};

double process_cpu_ns(pid_t pid) {
    clockid_t clock;
    timespec used{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0)
        throw BenchError("the auditor's CPU time cannot be read: it is gone");
    return static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
}

double peak_rss_mib(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
    throw BenchError("the auditor's memory cannot be read: it is gone");
}

class RunningAuditor {
public:
    RunningAuditor(const ScalePaths& paths, const ScalePoint& point, pid_t target) {
        // Rows on stdout, which nobody reads, would fill a pipe; exec keeps the shell's process id.
        std::vector<std::string> command{"sh",     "-c", "exec \"$@\" > /dev/null", "sh", paths.auditor,
                                         "attach", "-p", std::to_string(target)};
        if (point.csv) command.insert(command.end(), {"--csv", paths.csv});
        command.insert(command.end(), point.options.begin(), point.options.end());
        const auto start = Clock::now();
        child_.emplace(command);
        if (!child_->wait_for("attached to ")) throw BenchError("mapaudit did not attach: " + child_->err());
        startup_ms_ = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    }

    pid_t pid() const { return child_->pid(); }
    double startup_ms() const { return startup_ms_; }

    Footer detach() {
        child_->send(SIGINT);
        const test::Finished ended = child_->finish();
        if (ended.exit_code != 0)
            throw BenchError("mapaudit attach ended with " + std::to_string(ended.exit_code) + ": " + ended.err);
        const auto footer = parse_footer(ended.said());
        if (!footer) throw BenchError("mapaudit's summary has no ledger, or no line on itself: " + ended.said());
        return *footer;
    }

private:
    std::optional<test::Child> child_;
    double startup_ms_ = 0;
};

void check_exact(std::uint64_t done, std::uint64_t seen, const char* by) {
    if (seen != 0 && seen == done) return;
    throw BenchError(std::to_string(done) + " operations done, " + std::to_string(seen) + " seen by " + by);
}

double mib(const std::string& number, const std::string& unit) {
    const double value = std::stod(number);
    return unit == "B" ? value / (1024 * 1024) : unit == "KiB" ? value / 1024 : unit == "GiB" ? value * 1024 : value;
}

}  // namespace

std::optional<Footer> parse_footer(const std::string& summary) {
    static const std::regex ledger("Ledger: ([0-9]+) fired = ([0-9]+) handled \\+ ([0-9]+) lost");
    static const std::regex self(
        "mapaudit itself: [^,\n]*, ([0-9.]+) ([KMG]?i?B) \\+ ([0-9.]+) ([KMG]?i?B) in the kernel");
    std::smatch counts, memory;
    if (!std::regex_search(summary, counts, ledger) || !std::regex_search(summary, memory, self)) return {};
    return Footer{std::stoull(counts[1]), std::stoull(counts[2]), std::stoull(counts[3]), mib(memory[1], memory[2]),
                  mib(memory[3], memory[4])};
}

void measure_round(ScaleFigures& figures, const ScalePaths& paths) {
    // A new process each round: where memory happens to lie is part of the spread.
    Load load(paths.load, figures.point);
    load.measure(warm_up_ms);
    const LoadWindow before = load.measure(plain_ms);

    RunningAuditor auditor(paths, figures.point, load.pid());
    std::uint64_t done = load.measure(audited_warm_up_ms).ops;
    const double cpu_ns = process_cpu_ns(auditor.pid());
    const auto start = Clock::now();
    const LoadWindow audited = load.measure(audited_ms);
    const double wall_ns = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    const double used_ns = process_cpu_ns(auditor.pid()) - cpu_ns;
    done += audited.ops;
    const double rss_mib = peak_rss_mib(auditor.pid());
    const Footer footer = auditor.detach();

    load.measure(warm_up_ms);
    const LoadWindow after = load.measure(plain_ms);

    if (footer.lost != 0 || footer.fired != footer.handled)
        throw BenchError(std::to_string(footer.lost) + " of " + std::to_string(footer.fired) + " operations lost");
    check_exact(done, footer.handled, "the ledger");
    // On a CSV of thousands of maps the total rows say it too, and by another way.
    if (figures.point.csv) check_exact(done, total_calls(paths.csv).events.value_or(0), "the CSV's total rows");

    // What drifts over a round is in the windows on both sides of the audited one.
    const double plain_ns = (before.cpu_ns_per_op + after.cpu_ns_per_op) / 2;
    figures.plain_ns.push_back(plain_ns);
    figures.audited_ns.push_back(audited.cpu_ns_per_op);
    figures.added_ns.push_back(audited.cpu_ns_per_op - plain_ns);
    figures.ops_per_s.push_back(audited.ops_per_s);
    figures.startup_ms.push_back(auditor.startup_ms());
    figures.auditor_cpu.push_back(100 * used_ns / wall_ns);
    figures.rss_mib = std::max({figures.rss_mib, rss_mib, footer.rss_mib});
    figures.kernel_mib = std::max(figures.kernel_mib, footer.kernel_mib);
    figures.done += done;
    figures.seen += footer.handled;
}

}  // namespace mapaudit::bench
