// SPDX-License-Identifier: Apache-2.0
//
// One window with a tracer on.
#pragma once

#include <cstdint>
#include <optional>

#include "tracer.hpp"

namespace mapaudit::bench {

struct Measured {
    double ns_per_op;
    std::uint64_t ops;                 // done while the tracer was on, warm-up included
    Seen seen;                         // of those
    std::optional<double> tracer_cpu;  // of one core, over the window's wall time: 1 is a core of its own
};

// `tracer` is attached to the subject, or null; it is detached afterwards.
Measured measure(Subject& subject, Tracer* tracer);

}  // namespace mapaudit::bench
