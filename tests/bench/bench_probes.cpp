// SPDX-License-Identifier: Apache-2.0
//
// bench_probes BUILD_DIR [ROUNDS [estimates]]: what a probe costs here: compiled out, unattached, attached at each
// level, and the same job done by bpftrace. The variants of a load take turns within a round. Refuses to print a figure
// of a run in which a tracer did not see exactly the operations that were done. Then the auditor's estimate of its cost
// against what it costs; with `estimates`, nothing but that.
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include "estimate.hpp"
#include "instructions.hpp"
#include "machine.hpp"
#include "measuring.hpp"
#include "results.hpp"
#include "subject.hpp"
#include "tracers.hpp"
#include "variants.hpp"

namespace mapaudit::bench {
namespace {

struct Paths {
    std::string with_probes, without_probes, auditor, csv, audit_csv, estimates_csv;
};

struct Variant {
    const char* name;
    std::function<std::unique_ptr<Tracer>()> make;  // empty: nothing is attached
};

std::vector<Variant> variants(const Paths& paths, const std::string& map, const std::string& mix) {
    const auto auditor = [&paths](const char* level, const char* option = nullptr) {
        return [&paths, level, option] {
            return std::make_unique<Auditor>(paths.auditor, level, paths.audit_csv, option);
        };
    };
    const bool assigns = mix == "mixed";
    return {
        {unattached_variant, {}},
        {full_variant, auditor("full")},
        {without_blame_variant, auditor("full", "--no-cpu")},
        {sampled_variant, auditor("sampled")},
        {events_variant, auditor("events")},
        {function_variant, [&paths, map, assigns] { return Bpftrace::function(paths.with_probes, map, assigns); }},
        {probe_variant, [&paths, assigns] { return Bpftrace::probe(paths.with_probes, assigns); }},
    };
}

// One window with the tracer on; what it saw must be what was done.
void add_round(Row& row, Subject& subject, Tracer* tracer) {
    if (tracer != nullptr) tracer->attach(subject);
    const Measured measured = measure(subject, tracer);
    const auto [seen, lost] = measured.seen;
    const std::string where = row.map + " " + row.mix + " " + row.variant + ": ";
    if (lost != 0) throw BenchError(where + "lost " + std::to_string(lost) + " operations");
    if (seen && (*seen == 0 || *seen != measured.ops))
        throw BenchError(where + std::to_string(*seen) + " operations seen, " + std::to_string(measured.ops) + " done");
    if (seen) row.seen = row.seen.value_or(0) + *seen;
    row.ops += measured.ops;
    row.ns_per_op.push_back(measured.ns_per_op);
}

void measure_load(Results& results, const Paths& paths, const std::string& map, const std::string& mix,
                  unsigned rounds) {
    const auto attached = variants(paths, map, mix);
    std::vector<Row> rows;
    rows.push_back({map, mix, compiled_out_variant, {}, 0, {}, instructions_per_op(paths.without_probes, map, mix)});
    for (const Variant& variant : attached) rows.push_back({map, mix, variant.name, {}, 0, {}, {}});
    rows[1].instructions = instructions_per_op(paths.with_probes, map, mix);

    for (unsigned round = 0; round < rounds; ++round) {
        std::cerr << "bench: " << map << ' ' << mix << ", round " << round + 1 << " of " << rounds << std::endl;
        // New processes each round: where memory happens to lie is part of the spread.
        Subject without(paths.without_probes, map, mix), with(paths.with_probes, map, mix);
        if (results.clock_pair_ns == 0) results.clock_pair_ns = with.clock_pair_ns();
        add_round(rows[0], without, nullptr);
        for (std::size_t i = 0; i < attached.size(); ++i) {
            const auto tracer = attached[i].make ? attached[i].make() : nullptr;
            add_round(rows[i + 1], with, tracer.get());
        }
    }
    results.rows.insert(results.rows.end(), rows.begin(), rows.end());
}

// Names everything that is missing before minutes are spent.
void check_prerequisites(const Paths& paths) {
    for (const std::string& file : {paths.with_probes, paths.without_probes, paths.auditor})
        if (::access(file.c_str(), X_OK) != 0) throw BenchError("no " + file + " (make builds it)");
    if (::geteuid() != 0) throw BenchError("attaching needs root: sudo make bench");
    for (const char* program : {"bpftrace", "valgrind"})
        if (test::run({"sh", "-c", std::string("command -v ") + program}).exit_code != 0)
            throw BenchError(std::string("no ") + program + " (make bench-deps installs it)");
}

int run(const std::string& build, unsigned rounds) {
    const Paths paths{build + "/tests/bench/measured_with_probes",
                      build + "/tests/bench/measured_without_probes",
                      build + "/userspace/mapaudit",
                      build + "/bench.csv",
                      build + "/bench-audit.csv",
                      build + "/bench-estimates.csv"};
    check_prerequisites(paths);
    Results results;
    results.machine = describe_machine();
    for (const char* map : maps)
        for (const char* mix : mixes) measure_load(results, paths, map, mix, rounds);
    print_table(std::cout, results);
    print_goals(std::cout, results);
    std::ofstream csv(paths.csv);
    write_csv(csv, results);
    csv.flush();
    if (!csv) throw BenchError("cannot write " + paths.csv);
    const auto estimates = measure_estimates(build, rounds);
    print_estimates(std::cout, estimates);
    std::ofstream estimates_csv(paths.estimates_csv);
    write_estimates_csv(estimates_csv, estimates, results.machine);
    estimates_csv.flush();
    if (!estimates_csv) throw BenchError("cannot write " + paths.estimates_csv);
    std::cout << "\nwritten to " << paths.csv << " and " << paths.estimates_csv << std::endl;
    return 0;
}

// That section alone.
int run_estimates(const std::string& build, unsigned rounds) {
    if (::geteuid() != 0) throw BenchError("attaching needs root: sudo make bench");
    print_estimates(std::cout, measure_estimates(build, rounds));
    return 0;
}

}  // namespace
}  // namespace mapaudit::bench

int main(int argc, char** argv) {
    const bool estimates = argc == 4 && std::string(argv[3]) == "estimates";
    if (argc < 2 || (argc > 3 && !estimates)) {
        std::cerr << "usage: bench_probes BUILD_DIR [ROUNDS [estimates]]\n";
        return 2;
    }
    try {
        if (estimates) return mapaudit::bench::run_estimates(argv[1], static_cast<unsigned>(std::stoul(argv[2])));
        return mapaudit::bench::run(argv[1], argc == 3 ? static_cast<unsigned>(std::stoul(argv[2])) : 5);
    } catch (const std::exception& error) {
        std::cerr << "bench: " << error.what() << '\n';
        return 1;
    }
}
