// SPDX-License-Identifier: Apache-2.0
//
// What was measured, as a table for people and as CSV.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace mapaudit::bench {

// Throws BenchError when there are none.
double median_of(std::vector<double> values);

// One variant on one load.
struct Row {
    std::string map, mix, variant;
    std::vector<double> ns_per_op;       // one a round
    std::uint64_t ops = 0;               // done while this variant was on
    std::optional<std::uint64_t> seen;   // by the tracer
    std::optional<double> instructions;  // per operation

    double median() const;
    double least() const;
    double most() const;
};

// The median over rounds of the difference, round by round, to the unattached run of the same round: what drifts
// from round to round (frequency, neighbours) cancels out.
double median_over(const Row& row, const Row& unattached);

struct Results {
    std::string machine;
    double clock_pair_ns = 0;
    std::vector<Row> rows;

    const Row& find(const std::string& map, const std::string& mix, const std::string& variant) const;
};

void print_table(std::ostream& out, const Results& results);
void print_goals(std::ostream& out, const Results& results);
void write_csv(std::ostream& out, const Results& results);

}  // namespace mapaudit::bench
