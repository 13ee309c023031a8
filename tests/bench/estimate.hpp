// SPDX-License-Identifier: Apache-2.0
//
// The auditor's estimate of what it costs its target, held against what it costs it: both of the same attachment, whose
// windows stand between unattached ones of the same process.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace mapaudit::bench {

// How far an estimate may be off, of what was measured.
inline constexpr double estimate_tolerance = 0.25;

// One load at one level. Costs are shares of the target's CPU time, as the auditor states them.
struct Estimate {
    std::string map, load, level;
    std::vector<double> measured_percent, estimated_percent;  // one a round
    std::vector<double> cost_ns;                              // an operation, measured

    double measured() const;  // medians over the rounds
    double estimated() const;
    double ratio() const;  // of the rounds' ratios; 1 is right
    bool within() const { return ratio() >= 1 - estimate_tolerance && ratio() <= 1 + estimate_tolerance; }
};

// Percent in "Target slowed down: about 12.3 % of its CPU time" of an auditor's summary. Throws BenchError where there
// is none, or where it rests on assumed prices.
double stated_percent(const std::string& summary);

// Measures all loads. `build`: the build folder. Throws BenchError when a probe did not fire on an audited operation.
std::vector<Estimate> measure_estimates(const std::string& build, unsigned rounds);

void print_estimates(std::ostream& out, const std::vector<Estimate>& estimates);
void write_estimates_csv(std::ostream& out, const std::vector<Estimate>& estimates, const std::string& machine);

}  // namespace mapaudit::bench
