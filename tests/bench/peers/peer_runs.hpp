// SPDX-License-Identifier: Apache-2.0
//
// One load, measured round by round with each variant in turn.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "peers/comparison.hpp"

namespace mapaudit::bench {

struct Load {
    std::string map, mix;
    bool assigns() const { return mix != "lookup"; }
};

struct Variant {
    const char* name;
    unsigned events_per_op;
    bool peer;                                                 // may be left out; ours must run
    std::function<std::unique_ptr<Tracer>(const Load&)> make;  // empty: nothing is attached
};

// Adds what was measured to the comparison. A peer that cannot run is named in `left_out`, with its own error, and what
// it had measured of this load is dropped; so is a variant whose probe did not fire, which is returned: one line each.
// Throws Interrupted, and BenchError when one of ours cannot run.
std::vector<std::string> run_peers(Comparison& comparison, const Load& load, const std::string& with_probes,
                                   const std::string& without_probes, const std::vector<Variant>& variants,
                                   unsigned rounds);

}  // namespace mapaudit::bench
