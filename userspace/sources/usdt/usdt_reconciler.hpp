// SPDX-License-Identifier: Apache-2.0
//
// What a target did comes in by several ways, and each call of it is taken once:
//
//   batch      the eBPF program takes its records, and moves the block's mark behind them
//   pending    records that no batch has brought yet, read from the block; the same mark, moved from here
//   counted    calls that the sampled level has not timed come as sums, in a batch like any record, or
//   residual   are read from the block's counters once nothing is attached that could bring them
//
// Left out is what was done before: records below the baseline, and calls that stood in the counters then (stale).
//
// Pure logic over blocks and marks: knows no kernel and no process.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <span>

#include "sources/usdt/usdt_admission.hpp"
#include "sources/usdt/usdt_blocks.hpp"

namespace mapaudit::sources {

// One operation of one map.
struct CallKey {
    std::uint32_t domain = 0, map = 0;
    int op = 0;
    auto operator<=>(const CallKey&) const = default;
};

// The threads of one registry, and by block index what has been taken of each (wire.h, WIRE_TAKEN_SEEN): the kernel
// writes these marks at the same time.
struct DomainThreads {
    std::uint32_t domain = 0;
    const ThreadBlocks& memory;
    std::span<std::uint64_t> taken;
};

// Not thread safe, but for the marks.
class UsdtReconciler {
public:
    using TakeRecords = std::function<void(const RegistryBlock&, std::span<const mapaudit_record>)>;
    using TakeCalls = std::function<void(const RegistryBlock&, std::uint32_t map, int op, std::uint64_t calls)>;

    // `counts_calls`: calls may have been counted without being timed: at the sampled level, or on the way to or from
    // it. Where not, what such records say is another listener's.
    UsdtReconciler(const UsdtAdmission& admission, bool counts_calls)
        : admission_(admission), counts_calls_(counts_calls) {}

    bool counts_calls() const noexcept { return counts_calls_; }

    // What the blocks hold now was done before, and is left out when it comes.
    void take_baseline(const DomainThreads& threads);
    // Takes what blocks hold and no batch has brought; `take` is called once a block that held anything.
    void take_pending(const DomainThreads& threads, const TakeRecords& take);
    // Takes what was counted and not yet put into records; only once nothing is attached any more that counts.
    void take_residual(const DomainThreads& threads, const TakeCalls& take);

    // How many of `calls` counted ones that have come in are not stale. Map model::other_maps stands for the maps
    // without rows of their own.
    std::uint64_t without_stale(const CallKey& key, std::uint64_t calls);
    // The counters have been read out: nothing in them is from before any more.
    void forget_stale() { stale_.clear(); }

private:
    const UsdtAdmission& admission_;
    bool counts_calls_;
    // Calls that stood in counters at the baseline, and have not come since.
    std::map<CallKey, std::uint64_t> stale_;
};

}  // namespace mapaudit::sources
