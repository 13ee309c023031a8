// SPDX-License-Identifier: Apache-2.0
//
// A target's threads in plain data: they do what the library does with their blocks, and a program takes their batches
// as the eBPF program does. No kernel, no process.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sources/usdt/usdt_blocks.hpp"
#include "sources/usdt/usdt_reconciler.hpp"
#include "sources/usdt/usdt_records.hpp"
#include "wire.h"

namespace mapaudit::sources {

using CallsByOp = std::map<std::pair<std::uint32_t, int>, std::uint64_t>;  // by map and operation

inline mapaudit_record record_of(std::uint32_t map, int op, std::uint32_t latency, std::uint8_t flags = 0) {
    return {map,  latency, 0, static_cast<std::uint16_t>(mapaudit_bucket(latency)), static_cast<std::uint8_t>(op),
            flags};
}

// What one hit of a batch probe hands over.
struct FiredBatch {
    std::uint32_t block = 0;
    std::uint64_t first = 0;
    std::vector<mapaudit_record> records;
};

class FakeThreads final : public ThreadBlocks {
public:
    explicit FakeThreads(std::uint32_t threads) : threads_(threads) {
        for (std::uint32_t i = 0; i < threads; ++i) threads_[i].tid = 100 + i;
    }

    void timed(std::uint32_t thread, std::uint32_t map, int op, std::uint8_t flags = 0) {
        append(thread, record_of(map, op, 50, flags));
    }
    void counted(std::uint32_t thread, std::uint32_t map, int op, std::uint32_t calls = 1) {
        threads_[thread].counters[{map, op}] += calls;
    }
    bool is_full(std::uint32_t thread) const {
        // Counters become records at once: there must be room for all of them.
        const Thread& t = threads_[thread];
        return t.seq - t.flushed + t.counters.size() + 1 >= MAPAUDIT_BATCH;
    }
    // Counters become records, and all records since the last batch go out; an empty batch fires no probe.
    std::optional<FiredBatch> hand_over(std::uint32_t thread) {
        Thread& t = threads_[thread];
        if (!t.counters.empty()) {
            t.epoch += 2;
            for (const auto& [map_op, calls] : std::exchange(t.counters, {}))
                append(thread,
                       record_of(map_op.first, map_op.second, static_cast<std::uint32_t>(calls), MAPAUDIT_REC_COUNT));
        }
        if (t.flushed == t.seq) return std::nullopt;
        FiredBatch batch{thread, t.flushed, {}};
        for (std::uint64_t at = t.flushed; at < t.seq; ++at) batch.records.push_back(t.ring[at % MAPAUDIT_RING]);
        t.flushed = t.seq;
        return batch;
    }
    // The thread ends with a last batch, and its block goes to a new one: sequence numbers go on.
    std::optional<FiredBatch> end_and_reuse(std::uint32_t thread, std::uint32_t tid) {
        auto last = hand_over(thread);
        threads_[thread].tid = tid;
        threads_[thread].epoch += 2;
        return last;
    }
    std::uint64_t seq(std::uint32_t thread) const { return threads_[thread].seq; }
    void unreadable(bool yes) { unreadable_ = yes; }
    // Called while a reader copies records.
    std::function<void()> meanwhile = [] {};

    std::vector<RegistryBlock> blocks(std::size_t limit) const override {
        std::vector<RegistryBlock> blocks;
        for (std::uint32_t i = 0; i < threads_.size() && i < limit; ++i)
            blocks.push_back({0x1000 * (i + 1), i, threads_[i].tid, 3, threads_[i].epoch, threads_[i].seq,
                              threads_[i].flushed, !threads_[i].counters.empty()});
        return blocks;
    }
    std::vector<mapaudit_record> records(const RegistryBlock& block, std::uint64_t from) const override {
        std::vector<mapaudit_record> records;
        if (unreadable_) return records;
        for (std::uint64_t at = from; at < block.seq; ++at)
            records.push_back(threads_[block.index].ring[at % MAPAUDIT_RING]);
        meanwhile();
        return records;
    }
    std::optional<BlockCounters> counters(const RegistryBlock& block) const override {
        const Thread& t = threads_[block.index];
        if (t.counters.empty() || t.epoch != block.epoch || t.seq != block.seq) return std::nullopt;
        std::map<std::uint32_t, mapaudit_counter> by_map;
        for (const auto& [map_op, calls] : t.counters) {
            by_map[map_op.first].map = map_op.first;
            by_map[map_op.first].calls[map_op.second] = static_cast<std::uint32_t>(calls);
        }
        BlockCounters held;
        for (const auto& [map, counter] : by_map) held.counters.push_back(counter);
        return held;
    }

private:
    struct Thread {
        std::uint32_t tid = 0, epoch = 0;
        std::uint64_t seq = 0, flushed = 0;
        std::array<mapaudit_record, MAPAUDIT_RING> ring{};
        CallsByOp counters;
    };
    void append(std::uint32_t thread, const mapaudit_record& record) {
        Thread& t = threads_[thread];
        t.ring[t.seq++ % MAPAUDIT_RING] = record;
    }

    std::vector<Thread> threads_;
    bool unreadable_ = false;
};

// The audit of one domain: what it has counted, by whichever way it came.
class FakeAudit {
public:
    FakeAudit(FakeThreads& threads, std::uint32_t blocks, bool counts_calls, std::size_t most_maps = 1000)
        : admission(most_maps), reconciler(admission, counts_calls), taken(blocks), threads_(threads) {}

    DomainThreads domain() { return {0, threads_, taken}; }
    void take_baseline() { reconciler.take_baseline(domain()); }
    void take_pending() {
        reconciler.take_pending(domain(), [&](const RegistryBlock& block, std::span<const mapaudit_record> records) {
            pending_tids.push_back(block.tid);
            add(records);
        });
    }
    void take_residual() {
        reconciler.take_residual(domain(), [&](const RegistryBlock&, std::uint32_t map, int op, std::uint64_t n) {
            calls[{map, op}] += n;
        });
    }
    // A probe fires: the program takes what nobody has taken yet. Returns how many records that was.
    std::size_t arrives(const FiredBatch& batch) {
        std::uint64_t& mark = taken[batch.block];
        const std::uint64_t below = mark & ~WIRE_TAKEN_SEEN, end = batch.first + batch.records.size();
        if (below >= end) return 0;
        if (below < batch.first && (mark & WIRE_TAKEN_SEEN) != 0) missed += batch.first - below;
        const std::size_t skip = below >= batch.first ? below - batch.first : 0;
        mark = end | WIRE_TAKEN_SEEN;
        add(std::span(batch.records).subspan(skip));
        return batch.records.size() - skip;
    }
    std::size_t arrives(const std::optional<FiredBatch>& batch) { return batch ? arrives(*batch) : 0; }

    UsdtAdmission admission;
    UsdtReconciler reconciler;
    std::vector<std::uint64_t> taken;
    CallsByOp calls;
    std::uint64_t missed = 0;
    std::vector<std::uint32_t> pending_tids;

private:
    void add(std::span<const mapaudit_record> records) {
        for (const auto& [map_op, sum] : sum_records(records).ops) {
            std::uint64_t calls_now = sum.counts.calls;
            if (reconciler.counts_calls())
                calls_now += reconciler.without_stale({0, map_op.first, map_op.second}, sum.counted);
            if (calls_now != 0) calls[map_op] += calls_now;
        }
    }

    FakeThreads& threads_;
};

}  // namespace mapaudit::sources
