// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_reconciler.hpp"

#include <algorithm>

#include "wire.h"

namespace mapaudit::sources {

// It comes with the next batch all the same, and is left out.
void UsdtReconciler::take_baseline(const DomainThreads& threads) {
    for (const RegistryBlock& block : threads.memory.blocks(threads.taken.size())) {
        threads.taken[block.index] = block.seq;
        if (!counts_calls_) continue;
        const auto held = threads.memory.counters(block);
        if (!held) continue;
        for (const mapaudit_counter& counter : held->counters)
            for (int op = 0; op < MAPAUDIT_HOT_OPS; ++op)
                if (counter.calls[op] != 0) stale_[{threads.domain, counter.map, op}] += counter.calls[op];
    }
}

// The kernel moves the same mark when a batch arrives, so the compare-and-swap decides who counts a record; a copy
// whose records were overwritten meanwhile never wins it.
void UsdtReconciler::take_pending(const DomainThreads& threads, const TakeRecords& take) {
    for (const RegistryBlock& block : threads.memory.blocks(threads.taken.size())) {
        std::uint64_t& mark = threads.taken[block.index];
        std::uint64_t seen = __atomic_load_n(&mark, __ATOMIC_ACQUIRE);
        const std::uint64_t taken = seen & ~WIRE_TAKEN_SEEN;
        // More than a ring ahead: batches are on their way; or, at the detach, were fired when the probe had gone
        // already, and the audit of this thread ends at the mark.
        if (block.seq <= taken || block.seq - taken > MAPAUDIT_RING) continue;
        const auto records = threads.memory.records(block, taken);
        if (records.empty()) continue;
        if (!__atomic_compare_exchange_n(&mark, &seen, block.seq | (seen & WIRE_TAKEN_SEEN), false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE))
            continue;
        take(block, records);
    }
}

void UsdtReconciler::take_residual(const DomainThreads& threads, const TakeCalls& take) {
    for (const RegistryBlock& block : threads.memory.blocks(threads.taken.size())) {
        const auto held = threads.memory.counters(block);
        if (!held) continue;
        for (const mapaudit_counter& counter : held->counters)
            for (int op = 0; op < MAPAUDIT_HOT_OPS; ++op) {
                const std::uint64_t calls = without_stale({threads.domain, counter.map, op}, counter.calls[op]);
                if (calls != 0) take(block, counter.map, op, calls);
            }
    }
}

std::uint64_t UsdtReconciler::without_stale(const CallKey& key, std::uint64_t calls) {
    auto found = stale_.find(key);
    if (key.map == model::other_maps)  // one of the maps that share the row
        found = std::find_if(stale_.begin(), stale_.end(), [&](const auto& entry) {
            const CallKey& stale = entry.first;
            return stale.domain == key.domain && stale.op == key.op && !admission_.has(stale.domain, stale.map);
        });
    if (found == stale_.end()) return calls;
    const std::uint64_t left_out = std::min(found->second, calls);
    if ((found->second -= left_out) == 0) stale_.erase(found);
    return calls - left_out;
}

}  // namespace mapaudit::sources
