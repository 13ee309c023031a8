// SPDX-License-Identifier: Apache-2.0
#include "field/claim_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "results.hpp"

namespace mapaudit::bench {
namespace {

// What two runs of one and the same load differ by here.
constexpr double noise = 0.1;

double median(const std::vector<Observation>& observations, double (*of)(const Observation&)) {
    std::vector<double> values;
    for (const Observation& observation : observations) values.push_back(of(observation));
    return median_of(std::move(values));
}

double rate(const Observation& observation) { return observation.ops_per_s; }
double p50(const Observation& observation) { return observation.lookup_p50_ns; }
double p99(const Observation& observation) { return observation.lookup_p99_ns; }

// The latency of look-ups; a mix without any has none.
std::string latency(double ns) { return ns > 0 ? fmt::format("{:.0f} ns", ns) : "-"; }

void print_side(std::ostream& out, const std::string& kind, const std::vector<Observation>& observations) {
    out << fmt::format("      {:<14}{:>9.2f}M ops/s{:>13} p50{:>15} p99\n", kind, median(observations, rate) / 1e6,
                       latency(median(observations, p50)), latency(median(observations, p99)));
}

std::string spread(std::vector<double> values) {
    std::ranges::sort(values);
    return fmt::format("{:.2f} .. {:.2f}", values.front(), values.back());
}

void print_claim(std::ostream& out, const ClaimResult& result, unsigned cpus) {
    const Claim& claim = result.claim;
    out << fmt::format("\n  {} : {}, {}, {}\n", claim.better, claim.worse, describe(claim.figure), describe(claim.mix));
    print_side(out, claim.better, result.comparison.better);
    print_side(out, claim.worse, result.comparison.worse);
    out << fmt::format("      seen {:.2f} times ({}), article {:.2f}: {}\n",
                       result.comparison.median_ratio(claim.figure), spread(result.comparison.ratios(claim.figure)),
                       claim.times, result.verdict());
    if (result.waits)
        out << fmt::format(
            "      {:.2f} of {}'s {} threads waited for its lock at a time; {} CPUs run at most {} of them\n",
            result.waits->waiting, claim.worse, claim.mix.threads, cpus, std::min(cpus, claim.mix.threads));
    if (result.one_a_cpu)
        out << fmt::format("      instead, with {} threads: {:.2f} times ({})\n", cpus,
                           result.one_a_cpu->median_ratio(claim.figure),
                           spread(result.one_a_cpu->ratios(claim.figure)));
}

void print_turning_point(std::ostream& out, const FieldResults& results) {
    const TurningPoint& point = results.turning_point;
    out << fmt::format("\n  {} : {}, throughput by threads, {}\n", point.better, point.worse, describe(point.mix));
    const ThreadsResult* turned = nullptr;  // the first after the last that it led in
    for (const ThreadsResult& one : results.by_threads) {
        const double ratio = one.comparison.median_ratio(Figure::throughput);
        out << fmt::format("      {:>5} threads: {:.2f} ({})\n", one.threads, ratio,
                           spread(one.comparison.ratios(Figure::throughput)));
        if (ratio > 1)
            turned = nullptr;
        else if (turned == nullptr)
            turned = &one;
    }
    if (turned != nullptr)
        out << fmt::format("      no lead from {} threads on; article: past {}\n", turned->threads, point.beyond);
    else
        out << fmt::format("      its lead does not end by {} threads; article: past {}\n",
                           results.by_threads.empty() ? 0 : results.by_threads.back().threads, point.beyond);
}

void write_comparison(std::ostream& out, const std::string& machine, const Claim& claim, const Comparison& comparison,
                      const std::string& article, const std::string& verdict) {
    const auto ratios = comparison.ratios(claim.figure);
    out << fmt::format(
        "{},{},{},{},{:.2f},{:.2f},{},{},{},{:.3f},{:.3f},{:.3f},{:.0f},{:.0f},{:.1f},{:.1f},{},\"{}\"\n", claim.better,
        claim.worse, describe(claim.figure), claim.mix.threads, claim.mix.read_ratio, claim.mix.erase_ratio,
        claim.mix.distribution, claim.mix.keys, article, comparison.median_ratio(claim.figure),
        std::ranges::min(ratios), std::ranges::max(ratios), median(comparison.better, rate),
        median(comparison.worse, rate), median(comparison.better, p99), median(comparison.worse, p99), verdict,
        machine);
}

}  // namespace

std::vector<double> Comparison::ratios(Figure figure) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(better.size(), worse.size()); ++i)
        ratios.push_back(better[i].goodness(figure) / worse[i].goodness(figure));
    return ratios;
}

double Comparison::median_ratio(Figure figure) const { return median_of(ratios(figure)); }

bool ClaimResult::holds() const { return comparison.median_ratio(claim.figure) >= claim.times * (1 - noise); }

std::string ClaimResult::verdict() const {
    if (holds()) return "as in the article";
    return comparison.median_ratio(claim.figure) > 1 + noise ? "less than in the article" : "not seen here";
}

void print_field(std::ostream& out, const FieldResults& results) {
    out << "\nmachine: " << results.machine
        << "\nas the auditor saw it, at level sampled; median over rounds (least .. most)\n";
    for (const ClaimResult& result : results.claims) print_claim(out, result, results.cpus);
    print_turning_point(out, results);
}

void write_field_csv(std::ostream& out, const FieldResults& results) {
    out << "better,worse,figure,threads,read_ratio,erase_ratio,distribution,keys,article,ratio_median,ratio_least,"
           "ratio_most,better_ops_per_s,worse_ops_per_s,better_lookup_p99_ns,worse_lookup_p99_ns,verdict,machine\n";
    for (const ClaimResult& result : results.claims)
        write_comparison(out, results.machine, result.claim, result.comparison,
                         fmt::format("{:.2f}", result.claim.times), result.verdict());
    for (const ThreadsResult& one : results.by_threads) {
        Claim claim{results.turning_point.better, results.turning_point.worse, Figure::throughput, 1,
                    results.turning_point.mix};
        claim.mix.threads = one.threads;
        write_comparison(out, results.machine, claim, one.comparison, "", "");
    }
}

}  // namespace mapaudit::bench
