// SPDX-License-Identifier: Apache-2.0
//
// How long a tick of the machine's counter is: TSC on x86-64, the generic timer on aarch64.
#pragma once

namespace mapaudit {

// Nanoseconds in a tick: by the kernel's own multiplier and shift where it publishes them (perf_event_mmap_page), by
// the counter's frequency register on aarch64. Under a hypervisor clock the kernel publishes neither; there it is
// measured against CLOCK_MONOTONIC for `measure_ms`, each end bracketed: 10 ms give it to about 1e-5.
double ns_per_tick(int measure_ms = 10);

}  // namespace mapaudit
