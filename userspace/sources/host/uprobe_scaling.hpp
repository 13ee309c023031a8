// SPDX-License-Identifier: Apache-2.0
//
// Whether threads that hit probes at the same time hold one another up in the kernel: found out by trying.
#pragma once

#include <chrono>

#include "util/result.hpp"

namespace mapaudit::sources {

// Hits of a probe a second of CPU time, of one thread.
struct UprobeScaling {
    unsigned threads = 0;
    double alone = 0;
    double together =
        0;  // of each, when `threads` of them hit it at once, each on a CPU of its own while there are any

    // The share of its speed alone that a thread keeps in company; 1 where all is well.
    double kept() const { return alone > 0 ? together / alone : 1; }
    // Half: two threads that share a core's units lose a good part of their speed to that alone.
    bool scales() const { return kept() >= 0.5; }
};

// As many threads as there are CPUs, from 2 to `most`.
unsigned scaling_threads(unsigned most);

// Calls `hit`, on whose first instruction a probe is, from one thread and from several in turn, `rounds` times `round`
// long each; medians. It is CPU time that counts: what other processes take is not held against the kernel, and what
// threads wait for here, they wait for spinning. Starts and ends threads; call it in a process made for that.
UprobeScaling measure_scaling(void (*hit)(), unsigned threads, unsigned rounds, std::chrono::milliseconds round);

// The same in a throw-away process, with an eBPF program that does nothing, in a tenth of a second; two at most.
// `most`: threads. Not thread safe: it forks.
Result<UprobeScaling> try_uprobe_scaling(unsigned most);

}  // namespace mapaudit::sources
