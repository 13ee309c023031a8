// SPDX-License-Identifier: Apache-2.0
//
// bench_scale BUILD_DIR [ROUNDS] [--markdown]: does the cost of an audit stay flat as the work grows? Loads of more
// and more maps, threads and operations a second, each alone and audited in turn within one process, and a million
// intervals of the auditor's aggregator. Refuses to print a figure of a run in which an audit did not see exactly the
// operations that were done.
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iostream>

#include "machine.hpp"
#include "scale/plot.hpp"
#include "scale/scale_results.hpp"
#include "subject.hpp"

namespace mapaudit::bench {

namespace {

constexpr std::uint64_t intervals = 1'000'000, intervals_a_map = 10'000;

// Without what follows the kernel's version: that names who built it.
std::string machine() {
    std::string text = describe_machine();
    return text.substr(0, text.find('-', text.find(", Linux ")));
}

std::string today() {
    const std::time_t now = std::time(nullptr);
    char text[16];
    std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
    return text;
}

// Every point once, also one that is in two series.
void collect_points(ScaleResults& results) {
    const auto add = [&](const ScalePoint& point) {
        if (std::ranges::find(results.figures, point, &ScaleFigures::point) == results.figures.end())
            results.figures.emplace_back().point = point;
    };
    for (const ScaleSeries& series : results.series)
        for (const ScalePoint& point : series.points) add(point);
    for (const ScalePoint& point : other_points()) add(point);
}

void check_prerequisites(const ScalePaths& paths) {
    for (const std::string& file : {paths.load, paths.auditor})
        if (::access(file.c_str(), X_OK) != 0) throw BenchError("no " + file + " (make bench-scale builds it)");
    if (::geteuid() != 0) throw BenchError("attaching needs root: sudo make bench-scale");
}

template <class Write>
void write_file(const std::string& path, Write write) {
    std::ofstream file(path);
    write(file);
    file.flush();
    if (!file) throw BenchError("cannot write " + path);
    std::cout << "written to " << path << std::endl;
}

int run(const std::string& build, unsigned rounds, bool markdown) {
    const ScalePaths paths{build + "/tests/bench/scale/scale_load", build + "/userspace/mapaudit",
                           build + "/bench-scale-audit.csv"};
    check_prerequisites(paths);
    ScaleResults results{machine(), today(), all_series(), {}, {}};
    collect_points(results);
    // Round by round and not point by point: what drifts over minutes is in the spread of all alike.
    for (unsigned round = 0; round < rounds; ++round)
        for (ScaleFigures& figures : results.figures) {
            std::cerr << "bench: round " << round + 1 << " of " << rounds << ": " << figures.point.maps << " maps, "
                      << figures.point.threads << " threads, " << rate_label(figures.point.rate) << std::endl;
            try {
                measure_round(figures, paths);
            } catch (const BenchError& error) {
                throw BenchError(std::to_string(figures.point.maps) + " maps, " +
                                 std::to_string(figures.point.threads) + " threads, " + rate_label(figures.point.rate) +
                                 ": " + error.what());
            }
        }
    std::cerr << "bench: a million intervals, twice" << std::endl;
    results.aggregators.push_back(run_aggregation("3 maps", intervals, 0));
    results.aggregators.push_back(run_aggregation("3 maps, and one that comes and goes", intervals, intervals_a_map));

    print_scale_tables(std::cout, results, markdown);
    print_scale_goals(std::cout, results);
    std::cout << '\n';
    write_file(build + "/bench-scale.csv", [&](std::ostream& out) { write_scale_csv(out, results); });
    write_file(build + "/bench-scale.svg", [&](std::ostream& out) { out << scale_plot(results); });
    ::unlink(paths.csv.c_str());
    return 0;
}

}  // namespace

}  // namespace mapaudit::bench

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool markdown = std::erase(arguments, "--markdown") != 0;
    const bool good_rounds =
        arguments.size() < 2 ||
        (arguments[1].find_first_not_of("0123456789") == std::string::npos && std::stoul(arguments[1]) > 0);
    if (arguments.empty() || arguments.size() > 2 || !good_rounds) {
        std::cerr << "usage: bench_scale BUILD_DIR [ROUNDS] [--markdown]\n";
        return 2;
    }
    try {
        return mapaudit::bench::run(
            arguments[0], arguments.size() == 2 ? static_cast<unsigned>(std::stoul(arguments[1])) : 3, markdown);
    } catch (const std::exception& error) {
        std::cerr << "bench: " << error.what() << '\n';
        return 1;
    }
}
