// SPDX-License-Identifier: Apache-2.0
//
// bench_peers BUILD_DIR [ROUNDS]: the comparison against the field: the same load compiled out, unattached, audited,
// and traced by other people's tools. Leaves no process, probe definition, session or file behind but BUILD_DIR's CSV.
// Exit status: 0 measured (goals may be missed) · 1 failed, or a figure was refused · 2 usage · 130 interrupted.
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "machine.hpp"
#include "peers/interruption.hpp"
#include "peers/peer_runs.hpp"
#include "peers/peers.hpp"
#include "peers/surroundings.hpp"
#include "tracers.hpp"
#include "variants.hpp"

namespace mapaudit::bench {
namespace {

struct Paths {
    explicit Paths(const std::string& build)
        : with_probes(build + "/tests/bench/measured_with_probes"),
          without_probes(build + "/tests/bench/measured_without_probes"),
          lttng(build + "/tests/bench/peers/measured_lttng"),
          uftrace(build + "/tests/bench/peers/measured_uftrace"),
          auditor(build + "/userspace/mapaudit"),
          csv(build + "/bench-peers.csv"),
          scratch(build + "/bench-peers.scratch") {}
    std::string with_probes, without_probes, lttng, uftrace, auditor, csv, scratch;
};

std::vector<std::string> functions(const Load& load) {
    std::vector<std::string> names{"bench_lookup_" + load.map};
    if (load.assigns()) names.push_back("bench_assign_" + load.map);
    return names;
}

std::vector<Variant> variants(const Paths& paths, const std::filesystem::path& scratch) {
    const auto auditor = [&paths, scratch](const char* level) {
        return [&paths, scratch, level](const Load&) {
            return std::make_unique<Auditor>(paths.auditor, level, scratch / "audit.csv", nullptr);
        };
    };
    const auto lttng = [&paths, scratch](const Load&) {
        if (::access(paths.lttng.c_str(), X_OK) != 0)
            throw BenchError("no " + paths.lttng + ": liblttng-ust-dev was not there when it was to be built");
        return make_lttng(paths.lttng, scratch);
    };
    return {
        {unattached_variant, 1, false, {}},
        {full_variant, 1, false, auditor("full")},
        {sampled_variant, 1, false, auditor("sampled")},
        {events_variant, 1, false, auditor("events")},
        {count_case, 1, true,
         [&paths](const Load& load) { return Bpftrace::count(paths.with_probes, load.assigns()); }},
        {hist_case, 1, true,
         [&paths](const Load& load) { return Bpftrace::function(paths.with_probes, load.map, load.assigns()); }},
        {funclatency_case, 1, true, [](const Load& load) { return make_funclatency(functions(load)); }},
        {perf_case, 1, true,
         [&paths, scratch](const Load& load) { return make_perf(paths.with_probes, scratch, load.assigns()); }},
        {lttng_case, lttng_events_per_op, true, lttng},
        {uftrace_case, 1, true, [&paths, scratch](const Load&) { return make_uftrace(paths.uftrace, scratch); }},
    };
}

int run(const std::string& build, unsigned rounds) {
    const Paths paths(build);
    for (const std::string& file : {paths.with_probes, paths.without_probes, paths.auditor})
        if (::access(file.c_str(), X_OK) != 0) throw BenchError("no " + file + " (make bench-peers builds it)");
    if (::geteuid() != 0) throw BenchError("attaching needs root: sudo make bench-peers");
    note_interruptions();
    const Orphanage orphanage;
    const Scratch scratch(paths.scratch);
    move_into_own_surroundings(scratch);

    Comparison comparison;
    comparison.machine = describe_machine();
    const auto compared_variants = variants(paths, scratch.path());
    std::vector<std::string> refused;
    for (const Load& load : {Load{"mutex_map", "lookup"}, Load{"go_map", "mixed"}}) {
        const auto more =
            run_peers(comparison, load, paths.with_probes, paths.without_probes, compared_variants, rounds);
        refused.insert(refused.end(), more.begin(), more.end());
    }
    print_comparison(std::cout, comparison);
    print_comparison_goals(std::cout, comparison);
    std::ofstream csv(paths.csv);
    write_comparison_csv(csv, comparison);
    csv.flush();
    if (!csv) throw BenchError("cannot write " + paths.csv);
    std::cout << "\nwritten to " << paths.csv << std::endl;
    for (const std::string& line : refused) std::cerr << "bench-peers: refused: " << line << '\n';
    return refused.empty() ? 0 : 1;
}

}  // namespace
}  // namespace mapaudit::bench

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        std::cerr << "usage: bench_peers BUILD_DIR [ROUNDS]\n";
        return 2;
    }
    try {
        return mapaudit::bench::run(argv[1], argc == 3 ? static_cast<unsigned>(std::stoul(argv[2])) : 11);
    } catch (const std::exception& error) {
        // ^C reaches the tools and the measured process as well: whatever failed then, that is why.
        const bool stopped = mapaudit::bench::interrupted();
        std::cerr << "bench-peers: " << (stopped ? mapaudit::bench::Interrupted().what() : error.what()) << '\n';
        return stopped ? 130 : 1;
    }
}
