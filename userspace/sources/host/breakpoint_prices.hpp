// SPDX-License-Identifier: Apache-2.0
//
// What a probe costs whoever comes by, on instructions of programs that were not made for probes: found out by trying.
#pragma once

#include "util/result.hpp"

namespace mapaudit::sources {

// CPU time of a hit in ns, with a program that does nothing.
struct BreakpointPrices {
    double emulated_ns = 0;  // of a conditional branch, which the kernel carries out itself
    double stepped_ns = 0;   // of a RET, for which it puts the processor into single-step mode
};

// In this process, whose probes stay where they are until it ends: call it in one made for that. Takes some 30 ms, most
// of it to attach. Fails on other processors than x86-64, where nobody needs to know.
Result<BreakpointPrices> measure_breakpoints();

}  // namespace mapaudit::sources
