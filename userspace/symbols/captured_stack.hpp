// SPDX-License-Identifier: Apache-2.0
//
// What an event brings along of its thread's stack: enough registers and memory to walk it later. Target and auditor
// run on the same machine, so the registers are this architecture's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mapaudit::symbols {

// The registers besides ip, sp and bp that a function saves for its caller, by their DWARF numbers: call frame
// information restores a caller's frame from nothing else.
#if defined(__x86_64__)
inline constexpr std::array<int, 5> saved_registers{3, 12, 13, 14, 15};  // rbx, r12 to r15
#elif defined(__aarch64__)
inline constexpr std::array<int, 11> saved_registers{19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30};  // x19 to x28, lr
#else
#error "stacks are walked on x86-64 and aarch64 only"
#endif

// The spans are the caller's; they need to live for the one call that they are passed to.
struct CapturedStack {
    std::uint64_t ip = 0;  // where the thread was: the next instruction it would have run
    std::uint64_t sp = 0;
    std::uint64_t bp = 0;                                       // rbp, or x29
    std::array<std::uint64_t, saved_registers.size()> saved{};  // in the order of saved_registers
    std::span<const std::byte> memory;                          // copied upward from sp; empty: there is no copy
    // Return addresses that the kernel walked by frame pointers, innermost first; a leading ip is allowed, and they
    // may be empty.
    std::span<const std::uint64_t> frame_pointers;
};

}  // namespace mapaudit::symbols
