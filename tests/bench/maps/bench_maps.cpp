// SPDX-License-Identifier: Apache-2.0
//
// bench_maps BUILD_DIR [--all] [--repetitions N] [--window MS] [--only REGEX]: our maps, unattached, beside
// other people's. Refuses to print a figure of a run that did not do its work. Exit status: 0 measured (goals may be
// missed) · 1 failed, or a figure was refused · 2 usage.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "machine.hpp"
#include "maps/map_benchmarks.hpp"
#include "subject.hpp"

namespace mapaudit::bench {
namespace {

void write_csv(const std::string& path, const MapOutcome& outcome) {
    std::ofstream csv(path);
    write_map_csv(csv, outcome);
    csv.flush();
    if (!csv) throw BenchError("cannot write " + path);
}

int run(const std::string& path, const MapBenchPlan& plan) {
    MapOutcome outcome;
    outcome.machine = describe_machine();
    const Field field = all_candidates();
    outcome.left_out = field.left_out;
    for (const Candidate& candidate : field.candidates)
        if (candidate.most_keys != ~std::uint64_t{0})
            outcome.left_out.push_back(candidate.name + ": above " + keys_label(candidate.most_keys) +
                                       " keys, which it takes too long to fill with");
    run_benchmarks(outcome, field, plan);
    if (outcome.figures.empty()) throw BenchError("nothing was measured");
    print_map_tables(std::cout, outcome);
    print_winners(std::cout, outcome);
    print_map_goals(std::cout, outcome);
    std::cout << "\nwritten to " << path << std::endl;
    for (const std::string& line : outcome.refused) std::cerr << "bench-maps: refused: " << line << '\n';
    return outcome.refused.empty() ? 0 : 1;
}

}  // namespace
}  // namespace mapaudit::bench

int main(int argc, char** argv) {
    using namespace mapaudit::bench;
    CLI::App app("Our maps beside other people's", "bench_maps");
    std::string build, only = ".";
    bool all = false;
    unsigned repetitions = 3, window_ms = 100;
    app.add_option("build", build, "where the CSV goes")->required();
    app.add_flag("--all", all, "the whole grid: an hour and a half");
    app.add_option("--repetitions", repetitions)->check(CLI::PositiveNumber);
    app.add_option("--window", window_ms, "length of a measurement, ms")->check(CLI::PositiveNumber);
    app.add_option("--only", only, "measure what this regular expression is found in: 10k/integer/uniform/2/95/go_map");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const std::string csv = build + "/bench-maps.csv";
    try {
        return run(csv,
                   {all ? all_points() : default_points(), std::regex(only), repetitions,
                    std::chrono::milliseconds(window_ms), [&](const MapOutcome& so_far) { write_csv(csv, so_far); }});
    } catch (const std::exception& error) {
        std::cerr << "bench-maps: " << error.what() << '\n';
        return 1;
    }
}
