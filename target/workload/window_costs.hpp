// SPDX-License-Identifier: Apache-2.0
//
// What the driver's window around an operation holds besides the operation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <numeric>

#include <mapaudit/probes.h>

#include "operation_clock.hpp"

namespace mapaudit::workload {

// The driver's window goes from a fenced reading before the call to a fenced one right behind the audited operation
// (operation_clock.hpp), or behind the call where nobody listens. All that the auditor does after the operation (the
// record, the hand-over of a batch, probes of waits and growths) lies outside of it, for each operation by itself. What
// is left inside is the way in and the auditor's own two clock reads. This measures them on operations that do nothing,
// with the code that audits, on a block of memory that nobody reads. They cost more than the reading of a clock that
// any measurement shows of itself, the auditor's too: the rest is taken off, so that both sides' figure of an operation
// that does nothing is the same.
//
// Measured anew every few thousand operations: on a shared core the price changes by half within milliseconds. A mean,
// since some counters move in steps of 10 ns and a median of such steps is one of them; without the upper eighth, which
// holds the interrupts; and at uneven distances, since an even one can fall into step with the counter.
class WindowCosts {
public:
    // In ticks, by Audit.
    using Costs = std::array<std::uint64_t, 3>;

    // What they are now; `operations` counts this worker's.
    const Costs& at(std::uint64_t operations) {
        if (operations % every == 0) measure();
        return costs_;
    }

private:
    static constexpr std::uint64_t every = 4096;
    static constexpr std::size_t tries = 64, kept = tries * 7 / 8;

    void measure();
    void wait_unevenly() noexcept;

    Costs costs_{};
    std::uint32_t random_ = 2463534242u;
#ifndef MAPAUDIT_NO_PROBES
    std::unique_ptr<mapaudit_thread_block> block_;
#endif
};

// The calling thread's window around one operation, from the object's making to close().
class OperationWindow {
public:
    struct Closed {
        std::uint64_t latency;  // ticks, without the auditor's part
        bool audited;           // an auditor timed it as well
    };

    [[gnu::always_inline]] explicit OperationWindow(const WindowCosts::Costs& costs) noexcept : costs_(costs) {
        operation_end.audit = Audit::none;
        start_ = ticks_after();
    }
    // Closes the window behind an operation.
    [[gnu::always_inline]] Closed close() const noexcept {
        std::uint64_t end = ticks_after();
        const Audit audit = operation_end.audit;
        if (audit != Audit::none) end = operation_end.at;
        const std::uint64_t without = start_ + costs_[static_cast<unsigned>(audit)];
        return {end > without ? end - without : 0, audit == Audit::timed};
    }

private:
    const WindowCosts::Costs& costs_;
    std::uint64_t start_ = 0;
};

}  // namespace mapaudit::workload
