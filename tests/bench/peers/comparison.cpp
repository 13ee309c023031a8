// SPDX-License-Identifier: Apache-2.0
#include "peers/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "variants.hpp"

namespace mapaudit::bench {
namespace {

constexpr double far_share = 0.1;  // of what was done: neither seen nor said to be lost, or seen beside it

constexpr double full_limit_ns = 20, sampled_limit_ns = 2, times_hist = 45, times_lttng = 4;

const BenchCase& unattached_of(const Comparison& comparison, const BenchCase& bench_case) {
    if (const BenchCase* found = comparison.find(bench_case.row.map, bench_case.row.mix, unattached_variant))
        return *found;
    throw BenchError("no unattached row for " + bench_case.row.map + " " + bench_case.row.mix);
}

double over(const Comparison& comparison, const BenchCase& bench_case) {
    return median_over(bench_case.row, unattached_of(comparison, bench_case).row);
}

double slowdown(const Comparison& comparison, const BenchCase& bench_case) {
    return bench_case.row.median() / unattached_of(comparison, bench_case).row.median();
}

std::string or_empty(bool present, const std::string& text) { return present ? text : std::string(); }

class Goals {
public:
    Goals(std::ostream& out, const Comparison& comparison, const BenchCase& full)
        : out_(out), comparison_(comparison), full_(full) {}

    void print() const {
        at_most("level full over unattached", over(comparison_, full_), full_limit_ns, " ns");
        if (const BenchCase* sampled = beside(sampled_variant))
            at_most("level sampled over unattached", over(comparison_, *sampled), sampled_limit_ns, " ns");
        times_cheaper(hist_case, times_hist);
        times_cheaper(lttng_case, times_lttng);
        std::uint64_t lost = 0;
        for (const char* variant : {full_variant, sampled_variant})
            if (const BenchCase* bench_case = beside(variant))
                lost += std::max(bench_case->lost, bench_case->miscounted);
        at_most("operations lost or miscounted by mapaudit", static_cast<double>(lost), 0, "");
    }

private:
    const BenchCase* beside(const char* variant) const {
        return comparison_.find(full_.row.map, full_.row.mix, variant);
    }

    void line(bool met, const std::string& what) const {
        out_ << fmt::format("  {:<6} {} {}, {}\n", met ? "met" : "MISSED", full_.row.map, full_.row.mix, what);
    }
    void at_most(const char* what, double value, double limit, const char* unit) const {
        line(value <= limit, fmt::format("{}: {:.4g}{} (goal: at most {}{})", what, value, unit, limit, unit));
    }
    void times_cheaper(const char* peer, double limit) const {
        const BenchCase* bench_case = beside(peer);
        if (bench_case == nullptr) {
            out_ << fmt::format("  -      {} {}, {}: not measured here\n", full_.row.map, full_.row.mix, peer);
            return;
        }
        const double times = over(comparison_, *bench_case) / over(comparison_, full_);
        line(times >= limit,
             fmt::format("level full cheaper than {}: {:.1f} times (goal: at least {})", peer, times, limit));
    }

    std::ostream& out_;
    const Comparison& comparison_;
    const BenchCase& full_;
};

}  // namespace

void BenchCase::add(const Measured& round) {
    const std::uint64_t done = round.ops * events_per_op;
    if (round.seen.events) {
        const double accounted = static_cast<double>(*round.seen.events) + static_cast<double>(round.seen.lost);
        const auto expected = static_cast<double>(done);
        if (*round.seen.events == 0 || std::abs(accounted - expected) > far_share * expected)
            throw BenchError(fmt::format("{} {} {}: {} events done, {} seen, {} lost: not a figure of that job",
                                         row.map, row.mix, row.variant, done, *round.seen.events, round.seen.lost));
        row.seen = row.seen.value_or(0) + *round.seen.events;
        miscounted += *round.seen.events > done ? *round.seen.events - done : done - *round.seen.events;
    }
    lost += round.seen.lost;
    row.ops += round.ops;
    row.ns_per_op.push_back(round.ns_per_op);
    if (round.tracer_cpu) tracer_cpu.push_back(*round.tracer_cpu);
}

const BenchCase* Comparison::find(const std::string& map, const std::string& mix, const std::string& variant) const {
    for (const BenchCase& bench_case : cases)
        if (bench_case.row.map == map && bench_case.row.mix == mix && bench_case.row.variant == variant)
            return &bench_case;
    return nullptr;
}

void print_comparison(std::ostream& out, const Comparison& comparison) {
    out << fmt::format("\nmachine: {}\ntwo clock reads: {:.1f} ns\n", comparison.machine, comparison.clock_pair_ns);
    const BenchCase* load = nullptr;
    for (const BenchCase& bench_case : comparison.cases) {
        const Row& row = bench_case.row;
        if (load == nullptr || load->row.map != row.map || load->row.mix != row.mix) {
            out << fmt::format("\n{}, {}\n{:<28}{:>9}{:>20}{:>12}{:>9}{:>11}{:>11}{:>9}{:>7}{:>8}\n", row.map,
                               mix_description(row.mix), "variant", "ns/op", "least .. most", "over (b) ns", "x",
                               "done", "seen", "lost", "exact", "CPU %");
            load = &bench_case;
        }
        const bool counts = row.seen.has_value(), traces = !bench_case.tracer_cpu.empty();
        out << fmt::format(
            "{:<28}{:>9.2f}{:>20}{:>12.2f}{:>9.2f}{:>11}{:>11}{:>9}{:>7}{:>8}\n", row.variant, row.median(),
            fmt::format("{:.2f} .. {:.2f}", row.least(), row.most()), over(comparison, bench_case),
            slowdown(comparison, bench_case), bench_case.events_done(),
            or_empty(counts, counts ? std::to_string(*row.seen) : ""),
            or_empty(counts, std::to_string(bench_case.lost)), or_empty(counts, bench_case.exact() ? "yes" : "no"),
            or_empty(traces, traces ? fmt::format("{:.1f}", 100 * median_of(bench_case.tracer_cpu)) : ""));
    }
    if (!comparison.left_out.empty()) out << '\n';
    for (const std::string& line : comparison.left_out) out << "left out: " << line << '\n';
}

void print_comparison_goals(std::ostream& out, const Comparison& comparison) {
    out << "\ngoals\n";
    for (const BenchCase& bench_case : comparison.cases)
        if (bench_case.row.variant == full_variant) Goals(out, comparison, bench_case).print();
}

void write_comparison_csv(std::ostream& out, const Comparison& comparison) {
    out << "map,mix,variant,rounds,ns_per_op_median,ns_per_op_least,ns_per_op_most,over_unattached_ns,slowdown,"
           "events_per_op,events_done,events_seen,events_lost,exact,tracer_cpu_pct,two_clock_reads_ns,machine\n";
    for (const BenchCase& bench_case : comparison.cases) {
        const Row& row = bench_case.row;
        const bool counts = row.seen.has_value();
        out << fmt::format(
            "{},{},\"{}\",{},{:.3f},{:.3f},{:.3f},{:.3f},{:.4f},{},{},{},{},{},{},{:.2f},\"{}\"\n", row.map, row.mix,
            row.variant, row.ns_per_op.size(), row.median(), row.least(), row.most(), over(comparison, bench_case),
            slowdown(comparison, bench_case), bench_case.events_per_op, bench_case.events_done(),
            counts ? std::to_string(*row.seen) : "", counts ? std::to_string(bench_case.lost) : "",
            counts ? (bench_case.exact() ? "yes" : "no") : "",
            bench_case.tracer_cpu.empty() ? "" : fmt::format("{:.2f}", 100 * median_of(bench_case.tracer_cpu)),
            comparison.clock_pair_ns, comparison.machine);
    }
}

}  // namespace mapaudit::bench
