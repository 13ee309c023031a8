// SPDX-License-Identifier: Apache-2.0
#include "workload_options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "kinds.hpp"

namespace mapaudit::workload {
namespace {

constexpr int exit_usage = 2;

// Also refuses "-5", which the parser would take for 2^64 - 5.
CLI::Range count_from(std::uint64_t least) { return {least, std::uint64_t{1} << 62}; }

void add_load_options(CLI::App& app, Options& o) {
    app.add_option("--map", o.kind, "Map kind (--list names them)");
    app.add_option("--threads", o.threads, "Worker threads")->check(CLI::Range(1u, 100'000u))->capture_default_str();
    auto* ops = app.add_option("--ops", o.ops, "Operations, exactly, over all threads")->check(count_from(0));
    app.add_option("--duration", o.duration_s, "Seconds, instead of --ops")->check(CLI::PositiveNumber)->excludes(ops);
    app.add_option("--read-ratio", o.read_ratio, "Share of the operations that look up; the others write")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--erase-ratio", o.erase_ratio, "Share of the writes that erase; the others assign")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--keys", o.keys, "Keys are drawn from [0, N)")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
        ->capture_default_str();
    const std::map<std::string, Distribution> distributions{{"uniform", Distribution::uniform},
                                                            {"zipf", Distribution::zipf}};
    app.add_option("--dist", o.distribution, "uniform, or zipf (0.99; key 0 is the hottest)")
        ->transform(CLI::CheckedTransformer(distributions))
        ->default_str("uniform");
    app.add_option("--prefill", o.prefill, "Assign keys [0, N) to every map before the load; not counted")
        ->check(count_from(0));
    app.add_option("--rate", o.rate_per_s, "Operations per second over all threads (default: as fast as they go)")
        ->check(CLI::PositiveNumber);
    app.add_option("--seed", o.seed, "The same seed and options draw the same operations")
        ->check(count_from(0))
        ->capture_default_str();
    app.add_option("--churn", o.churn_ops, "Replace each worker by a new thread after N operations")
        ->check(count_from(1));
}

void add_map_and_report_options(CLI::App& app, Options& o) {
    app.add_option(
           "--maps", o.maps,
           "Maps to spread the operations over; a kind that forbids concurrent access gets at least one a thread")
        ->check(CLI::Range(1u, 16'000'000u))
        ->capture_default_str();
    app.add_flag("--own-maps", o.own_maps, "Each thread has maps of its own, whatever the kind allows");
    app.add_option("--name", o.name, "Maps are named NAME, NAME-1, NAME-2, ...")->capture_default_str();
    const std::map<std::string, OnConflict> policies{
        {"abort", OnConflict::abort}, {"throw", OnConflict::throw_}, {"report", OnConflict::report}};
    app.add_option("--on-conflict", o.on_conflict,
                   "Share maps that forbid concurrent access between all threads, on purpose; abort, throw or report")
        ->transform(CLI::CheckedTransformer(policies))
        ->excludes("--own-maps");
    app.add_option("--wait-attach", o.wait_attach_s,
                   "Start when a probe is attached; exit 3 if none is within so many seconds")
        ->check(CLI::PositiveNumber);
    app.add_flag("--time-ops", o.time_ops, "Time every operation in process");
    app.add_flag("--json", o.json, "Print one JSON object on stdout, and nothing else there");
    app.add_flag("--hold", o.hold, "Keep the maps after the report, until stdin ends");
    app.add_flag("--list", o.list, "Print the map kinds, one a line");
}

// What CLI11 cannot check by itself; empty when all is well.
std::string usage_error(const Options& o) {
    if (o.list) return {};
    if (o.kind.empty()) return "--map is required (--list names the kinds)";
    const Kind* kind = find_kind(o.kind);
    if (kind == nullptr) return "no map kind \"" + o.kind + "\" (--list names the kinds)";
    if (o.on_conflict && !kind->detects_conflicts)
        return "--on-conflict: " + o.kind + " does not watch for concurrent access";
    if (!o.ops && !o.duration_s) return "one of --ops and --duration is required";
    return {};
}

}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
    Options o;
    CLI::App app{"Puts a known load on audited maps and reports exactly what it did.", "mapaudit-workload"};
    add_load_options(app, o);
    add_map_and_report_options(app, o);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::cout << app.help();
        return 0;
    } catch (const CLI::ParseError& error) {
        std::cerr << "mapaudit-workload: " << error.what() << " (--help shows the options)\n";
        return exit_usage;
    }
    if (const std::string error = usage_error(o); !error.empty()) {
        std::cerr << "mapaudit-workload: " << error << '\n';
        return exit_usage;
    }
    return o;
}

}  // namespace mapaudit::workload
