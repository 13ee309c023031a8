// SPDX-License-Identifier: Apache-2.0
//
// Each claim beside what was seen of it, as a table for people and as CSV.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "field/claim.hpp"
#include "field/observation.hpp"

namespace mapaudit::bench {

// Both kinds on one mix, round by round, one after the other.
struct Comparison {
    std::vector<Observation> better, worse;

    // How many times as good the one was: the median of the rounds' own ratios, the least and the most.
    std::vector<double> ratios(Figure figure) const;
    double median_ratio(Figure figure) const;
};

struct ClaimResult {
    Claim claim;
    Comparison comparison;
    // Where it was not seen, more threads than CPUs were asked for, and there were these instead: one a CPU.
    std::optional<Comparison> one_a_cpu;
    std::optional<Observation> waits;  // and this of the worse kind under the claim's own load, every wait timed

    bool holds() const;  // at least as much as in the article, but for noise
    std::string verdict() const;
};

struct ThreadsResult {
    unsigned threads = 0;
    Comparison comparison;
};

struct FieldResults {
    std::string machine;
    unsigned cpus = 0;
    std::vector<ClaimResult> claims;
    TurningPoint turning_point;
    std::vector<ThreadsResult> by_threads;
};

void print_field(std::ostream& out, const FieldResults& results);
void write_field_csv(std::ostream& out, const FieldResults& results);

}  // namespace mapaudit::bench
