// SPDX-License-Identifier: Apache-2.0
//
// A day's run and more, without the day: the auditor's book takes and closes a million intervals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mapaudit::bench {

// What came after so many intervals.
struct BookStretch {
    std::uint64_t intervals = 0;  // since the beginning
    double ns_per_interval = 0;   // over this stretch: CPU
    double heap_mib = 0;          // in use at its end, over what was before the book
};

struct BookFigures {
    std::string name;
    std::uint64_t maps_seen = 0;
    std::vector<BookStretch> stretches;
    double totals_ms = 0;  // the rows of the whole run, at the end
};

// Three maps are there all the time, on two CPUs. Where `intervals_a_map` is not 0, a fourth is destroyed and another
// made every so many intervals. Throws BenchError when the book's totals are not what was put in.
BookFigures run_book(const std::string& name, std::uint64_t intervals, std::uint64_t intervals_a_map);

}  // namespace mapaudit::bench
