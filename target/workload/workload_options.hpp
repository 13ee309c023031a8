// SPDX-License-Identifier: Apache-2.0
//
// The command line of mapaudit-workload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace mapaudit::workload {

enum class Distribution { uniform, zipf };
enum class OnConflict { abort, throw_, report };

struct Options {
    std::string kind;
    unsigned threads = 1;
    std::optional<std::uint64_t> ops;  // exact, over all threads
    std::optional<double> duration_s;  // one of the two is given
    double read_ratio = 0.9;           // share of all operations that look up; the rest write
    double erase_ratio = 0.0;          // share of the writes that erase; the rest assign
    std::uint64_t keys = 10'000;       // keys are drawn from [0, keys)
    Distribution distribution = Distribution::uniform;
    std::uint64_t prefill = 0;  // keys [0, prefill) assigned to every map before the load, uncounted
    double rate_per_s = 0;      // over all threads; 0: as fast as it goes
    std::uint64_t seed = 1;
    unsigned maps = 1;
    bool own_maps = false;  // each thread has maps that no other uses, as where a kind forbids concurrent access
    std::string name = "workload";
    std::optional<OnConflict> on_conflict;
    std::optional<double> wait_attach_s;
    std::uint64_t churn_ops = 0;  // a worker thread is replaced after so many operations; 0: never
    bool time_ops = false;
    bool json = false;
    bool hold = false;  // the maps outlive the report, until stdin ends
    bool list = false;
};

// What to do: a load, or to end at once with an exit code (after --help, or a usage error already printed).
std::variant<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace mapaudit::workload
