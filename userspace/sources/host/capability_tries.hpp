// SPDX-License-Identifier: Apache-2.0
//
// What can be found out only by doing it: small programs loaded, probes attached to this very program, and taken back.
#pragma once

#include <cstdint>
#include <string>

#include "sources/attach/uprobe_link.hpp"
#include "util/result.hpp"

namespace mapaudit::sources {

// Loads an eBPF program of two instructions.
Result<void> try_bpf_program();
// Makes an event ring.
Result<void> try_bpf_ring();
// Attaches a program to a function of this program that nobody calls.
Result<void> try_uprobe(UprobeMechanism mechanism);
// Attaches a program that does nothing to an instruction of this program's own, in whatever way works here.
Result<UprobeLink> attach_nothing(std::uintptr_t address);
// Loads the scheduler program and attaches it to its tracepoint.
Result<void> try_scheduler();

enum class Optimised { yes, no, unknown };
// Whether the kernel turns a probe on a five-byte nop into a call: whether it knows the system call that such a call
// ends in. Asked in a child, since there are answers that come as a signal.
Optimised try_optimised_uprobes();

}  // namespace mapaudit::sources
