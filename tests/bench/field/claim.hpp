// SPDX-License-Identifier: Apache-2.0
//
// What articles on concurrent maps claim of one design against another, and the mix that shows it.
#pragma once

#include <string>
#include <vector>

namespace mapaudit::bench {

// What the auditor is asked for. More is better of the first, less of the others.
enum class Figure { throughput, lookup_p50, lookup_p99 };

// The load that the driver puts on one map.
struct Mix {
    unsigned threads = 1;
    double read_ratio = 0.5;   // of all operations
    double erase_ratio = 0;    // of those that write
    std::string distribution;  // "uniform" or "zipf"
    unsigned keys = 10'000;    // all of them there at the start
    auto operator<=>(const Mix&) const = default;
};

struct Claim {
    std::string better, worse;  // map kinds
    Figure figure = Figure::throughput;
    double times = 1;  // how many times as good the article found it; below 1 it found it worse
    Mix mix;
};

std::vector<Claim> claims();

// Where readers of one map are so many that a readers-writer lock no longer gains over a mutex.
struct TurningPoint {
    std::string better, worse;
    std::vector<unsigned> threads;
    unsigned beyond;  // the article's: somewhere past this many
    Mix mix;          // its threads are replaced
};
TurningPoint turning_point();

std::string describe(const Mix& mix);  // "128 threads, 90 % reads, 10000 keys, uniform"
std::string describe(Figure figure);   // "throughput"
}  // namespace mapaudit::bench
