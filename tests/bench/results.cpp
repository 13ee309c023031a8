// SPDX-License-Identifier: Apache-2.0
#include "results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "subject.hpp"
#include "variants.hpp"

namespace mapaudit::bench {
namespace {

void print_goal(std::ostream& out, const std::string& what, double value, double limit, const char* unit) {
    out << fmt::format("  {:<6} {}: {:.2f}{} (goal: at most {}{})\n", value <= limit ? "met" : "MISSED", what, value,
                       unit, limit, unit);
}

}  // namespace

double median_of(std::vector<double> values) {
    if (values.empty()) throw BenchError("a median of nothing");
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double Row::median() const { return median_of(ns_per_op); }
double Row::least() const { return *std::ranges::min_element(ns_per_op); }
double Row::most() const { return *std::ranges::max_element(ns_per_op); }

double median_over(const Row& row, const Row& unattached) {
    std::vector<double> differences;
    for (std::size_t i = 0; i < row.ns_per_op.size(); ++i)
        differences.push_back(row.ns_per_op[i] - unattached.ns_per_op[i]);
    return median_of(std::move(differences));
}

const Row& Results::find(const std::string& map, const std::string& mix, const std::string& variant) const {
    for (const Row& row : rows)
        if (row.map == map && row.mix == mix && row.variant == variant) return row;
    throw BenchError("no row for " + map + " " + mix + " " + variant);
}

void print_table(std::ostream& out, const Results& results) {
    out << fmt::format("\nmachine: {}\ntwo clock reads: {:.1f} ns\n", results.machine, results.clock_pair_ns);
    const Row* load = nullptr;
    for (const Row& row : results.rows) {
        if (load == nullptr || load->map != row.map || load->mix != row.mix) {
            out << fmt::format("\n{}, {}\n{:<30}{:>10}{:>19}{:>12}{:>8}{:>12}{:>13}{:>13}\n", row.map,
                               mix_description(row.mix), "variant", "ns/op", "least .. most", "over (b) ns", "x",
                               "instr/op", "done", "seen");
            load = &row;
        }
        const Row& unattached = results.find(row.map, row.mix, unattached_variant);
        out << fmt::format("{:<30}{:>10.2f}{:>19}{:>12.2f}{:>8.2f}{:>12}{:>13}{:>13}\n", row.variant, row.median(),
                           fmt::format("{:.2f} .. {:.2f}", row.least(), row.most()), median_over(row, unattached),
                           row.median() / unattached.median(),
                           row.instructions ? fmt::format("{:.2f}", *row.instructions) : "", row.ops,
                           row.seen ? std::to_string(*row.seen) : "");
    }
}

void print_goals(std::ostream& out, const Results& results) {
    // Two clock reads are the floor of timing every operation: the goal is 25 ns where they cost 16.
    const double full_limit_ns = std::round(results.clock_pair_ns + 9);
    out << "\ngoals\n";
    for (const Row& row : results.rows) {
        if (row.variant != unattached_variant) continue;
        const Row& without = results.find(row.map, row.mix, compiled_out_variant);
        const std::string load = row.map + " " + row.mix;
        if (row.instructions && without.instructions)
            print_goal(out, load + ", compiled in over compiled out, instructions/op",
                       *row.instructions - *without.instructions, 3, "");
        if (row.mix == "lookup")
            print_goal(out, load + ", compiled in over compiled out, time",
                       100 * -median_over(without, row) / without.median(), 1, " %");
        print_goal(out, load + ", level full over unattached",
                   median_over(results.find(row.map, row.mix, full_variant), row), full_limit_ns, " ns");
        // As a share of the whole operation: one load's floor is another's cost.
        const Row& full = results.find(row.map, row.mix, full_variant);
        const Row& plain = results.find(row.map, row.mix, without_blame_variant);
        print_goal(out, load + ", what blaming CPU time and waits adds to level full",
                   100 * median_over(full, plain) / plain.median(), 2, " %");
        print_goal(out, load + ", level sampled over unattached",
                   median_over(results.find(row.map, row.mix, sampled_variant), row), 3, " ns");
    }
}

void write_csv(std::ostream& out, const Results& results) {
    out << "map,mix,variant,rounds,ns_per_op_median,ns_per_op_least,ns_per_op_most,over_unattached_ns,"
           "instructions_per_op,ops_done,ops_seen,two_clock_reads_ns,machine\n";
    for (const Row& row : results.rows)
        out << fmt::format("{},{},{},{},{:.3f},{:.3f},{:.3f},{:.3f},{},{},{},{:.2f},\"{}\"\n", row.map, row.mix,
                           row.variant, row.ns_per_op.size(), row.median(), row.least(), row.most(),
                           median_over(row, results.find(row.map, row.mix, unattached_variant)),
                           row.instructions ? fmt::format("{:.3f}", *row.instructions) : "", row.ops,
                           row.seen ? std::to_string(*row.seen) : "", results.clock_pair_ns, results.machine);
}

}  // namespace mapaudit::bench
