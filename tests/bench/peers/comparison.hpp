// SPDX-License-Identifier: Apache-2.0
//
// The comparison against the field: what was measured, as a table for people and as CSV.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "measuring.hpp"
#include "results.hpp"

namespace mapaudit::bench {

inline constexpr const char* count_case = "bpftrace, count of a probe";
inline constexpr const char* hist_case = "bpftrace, entry to return";
inline constexpr const char* funclatency_case = "funclatency";
inline constexpr const char* perf_case = "perf record";
inline constexpr const char* lttng_case = "LTTng-UST";
inline constexpr const char* uftrace_case = "uftrace";

// One variant on one load. Its row's `seen` and the counts here are in the tool's own events.
struct BenchCase {
    Row row;
    unsigned events_per_op = 1;
    std::uint64_t lost = 0;          // by the tool's own account
    std::uint64_t miscounted = 0;    // the sum over rounds of what was seen beside, or short of, what was done
    std::vector<double> tracer_cpu;  // one a round; 1 is a core

    bool exact() const { return miscounted == 0; }
    std::uint64_t events_done() const { return row.ops * events_per_op; }
    // Throws BenchError, without adding it, for a round in which the probe did not fire, or the tool accounts for far
    // more or less than was done: its time would be the time of something else.
    void add(const Measured& round);
};

struct Comparison {
    std::string machine;
    double clock_pair_ns = 0;
    std::vector<BenchCase> cases;
    std::vector<std::string> left_out;  // "what: why"

    const BenchCase* find(const std::string& map, const std::string& mix, const std::string& variant) const;
};

void print_comparison(std::ostream& out, const Comparison& comparison);
void print_comparison_goals(std::ostream& out, const Comparison& comparison);
void write_comparison_csv(std::ostream& out, const Comparison& comparison);

}  // namespace mapaudit::bench
