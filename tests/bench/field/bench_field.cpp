// SPDX-License-Identifier: Apache-2.0
//
// bench_field BUILD_DIR [ROUNDS]: what articles on concurrent maps claim, each on a mix that shows it, seen by the
// auditor. Both sides of a claim take turns. Refuses to print a figure of a run in which the auditor did not count
// exactly the operations that were done.
// Exit status: 0 measured (claims may not hold here) · 1 failed · 2 usage.
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <thread>

#include "field/claim_table.hpp"
#include "machine.hpp"
#include "subject.hpp"

namespace mapaudit::bench {
namespace {

// Claims on the same kinds and mix rest on the same runs.
class Runner {
public:
    Runner(FieldPaths paths, unsigned round) : paths_(std::move(paths)), round_(round) {}

    void compare(Comparison& comparison, const std::string& better, const std::string& worse, const Mix& mix) {
        std::cerr << "bench-field: round " << round_ << ": " << better << " : " << worse << ", " << describe(mix)
                  << std::endl;
        comparison.better.push_back(observe(paths_, better, mix));
        comparison.worse.push_back(observe(paths_, worse, mix));
    }

private:
    FieldPaths paths_;
    unsigned round_;
};

void measure_claims(Runner& runner, std::vector<ClaimResult>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
        ClaimResult& result = results[i];
        const Claim& claim = result.claim;
        if (i > 0 && results[i - 1].claim.better == claim.better && results[i - 1].claim.worse == claim.worse &&
            results[i - 1].claim.mix == claim.mix)
            result.comparison = results[i - 1].comparison;  // another figure of the same runs
        else
            runner.compare(result.comparison, claim.better, claim.worse, claim.mix);
    }
}

// What there was instead of what the article saw.
void look_closer(const FieldPaths& paths, ClaimResult& result, unsigned cpus, unsigned rounds) {
    const Claim& claim = result.claim;
    result.waits = observe(paths, claim.worse, claim.mix, "full");
    if (claim.mix.threads <= cpus) return;
    Mix mix = claim.mix;
    mix.threads = cpus;
    result.one_a_cpu.emplace();
    for (unsigned round = 1; round <= rounds; ++round)
        Runner(paths, round).compare(*result.one_a_cpu, claim.better, claim.worse, mix);
}

int run(const std::string& build, unsigned rounds) {
    const FieldPaths paths{build + "/target/mapaudit-workload", build + "/userspace/mapaudit",
                           build + "/bench-field-audit.csv"};
    for (const std::string& file : {paths.workload, paths.auditor})
        if (::access(file.c_str(), X_OK) != 0) throw BenchError("no " + file + " (make bench-field builds it)");
    if (::geteuid() != 0) throw BenchError("attaching needs root: sudo make bench-field");

    FieldResults results;
    results.machine = describe_machine();
    results.cpus = std::max(1u, std::thread::hardware_concurrency());
    results.turning_point = turning_point();
    for (const Claim& claim : claims()) results.claims.push_back({claim, {}, {}, {}});
    for (const unsigned threads : results.turning_point.threads) results.by_threads.push_back({threads, {}});
    for (unsigned round = 1; round <= rounds; ++round) {
        Runner runner(paths, round);
        measure_claims(runner, results.claims);
        for (ThreadsResult& one : results.by_threads) {
            Mix mix = results.turning_point.mix;
            mix.threads = one.threads;
            runner.compare(one.comparison, results.turning_point.better, results.turning_point.worse, mix);
        }
    }
    for (ClaimResult& result : results.claims)
        if (!result.holds()) look_closer(paths, result, results.cpus, rounds);
    ::unlink(paths.csv.c_str());

    print_field(std::cout, results);
    const std::string written = build + "/bench-field.csv";
    std::ofstream csv(written);
    write_field_csv(csv, results);
    csv.flush();
    if (!csv) throw BenchError("cannot write " + written);
    std::cout << "\nwritten to " << written << std::endl;
    return 0;
}

}  // namespace
}  // namespace mapaudit::bench

int main(int argc, char** argv) {
    const bool good_rounds = argc < 3 || (std::string(argv[2]).find_first_not_of("0123456789") == std::string::npos &&
                                          std::stoul(argv[2]) > 0);
    if (argc < 2 || argc > 3 || !good_rounds) {
        std::cerr << "usage: bench_field BUILD_DIR [ROUNDS]\n";
        return 2;
    }
    try {
        return mapaudit::bench::run(argv[1], argc == 3 ? static_cast<unsigned>(std::stoul(argv[2])) : 3);
    } catch (const std::exception& error) {
        std::cerr << "bench-field: " << error.what() << '\n';
        return 1;
    }
}
