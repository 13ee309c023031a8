// SPDX-License-Identifier: Apache-2.0
//
// The usdt program with maps of a given size, and what a library would hand it.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <vector>

#include "fake_kernel.hpp"
#include "usdt_on_host.h"

namespace mapaudit::test {

struct UsdtSizes {
    std::uint32_t lanes = FakeKernel::cpus;
    std::uint32_t cells = 8, others = 1;
    std::uint32_t slots = 64;
    std::uint32_t pages = 600, pages_for_others = 300;
    std::uint32_t extras = 64;
    std::uint32_t blocks = 4;
    std::uint32_t evidence = 64, stacks = 64;
    std::uint32_t per_thread = 0;
};

class UsdtHost {
public:
    static constexpr std::uint64_t registry = 0x7f0000001000;

    explicit UsdtHost(const UsdtSizes& with = {}) : sizes(with) {
        const usdt_sizes globals = {sizes.cells,  sizes.others,    sizes.slots, sizes.pages, sizes.pages_for_others,
                                    sizes.extras, sizes.per_thread};
        usdt_load(&globals);
        kernel.map("slots").resize(sizes.slots);
        kernel.map("cells").resize(sizes.lanes * sizes.cells);
        kernel.map("pages").resize(sizes.pages);
        kernel.map("extras").resize(sizes.extras);
        kernel.map("lanes").resize(sizes.lanes);
        kernel.map("ledgers").resize(FakeKernel::cpus);
        kernel.map("threads").resize(sizes.blocks * sizes.others);
        kernel.map("evidence").resize(sizes.evidence);
        kernel.map("stacks_seen").resize(sizes.stacks);
        for (std::uint32_t i = 0; i < sizes.others; ++i) {
            domain(i).registry = registry;
            domain(i).thread_base = i * sizes.blocks;
            domain(i).thread_limit = sizes.blocks;
        }
    }

    wire_domain& domain(std::uint32_t index = 0) { return kernel.at<wire_domain>("domains", index); }
    wire_lane& lane(std::uint32_t cpu) { return kernel.at<wire_lane>("lanes", cpu); }
    std::uint64_t& taken(std::uint32_t block) { return kernel.at<std::uint64_t>("threads", block); }
    wire_page& page(std::uint32_t index) { return kernel.at<wire_page>("pages", index); }
    wire_extra& extra(std::uint32_t index) { return kernel.at<wire_extra>("extras", index); }
    wire_cell& cell(std::uint32_t cpu, std::uint32_t index) {
        return kernel.at<wire_cell>("cells", cpu * sizes.cells + index);
    }
    wire_cell_op& op_of(std::uint32_t map, mapaudit_op op, std::uint32_t cpu = 0, std::uint32_t domain = 0) {
        return cell(cpu, usdt_cell_of(wire_key(domain, map, 0))).op[op];
    }

    void hit(wire_probe probe, const std::array<std::uint64_t, 6>& arguments, std::uint32_t domain = 0) {
        static const std::array<std::byte, WIRE_STACK_BYTES> stack{};
        kernel.cookie = probe | std::uint64_t{domain} << 8;
        std::array<__u64, 6> raw{};
        std::copy(arguments.begin(), arguments.end(), raw.begin());
        usdt_hit(raw.data(), stack.data());
    }

    struct Batch {
        std::uint64_t first = 0;
        std::uint32_t block = 0, cpu = 0, domain = 0;
        std::uint64_t registry = UsdtHost::registry;
    };
    void batch(std::span<const mapaudit_record> records, const Batch& from) {
        hit(WIRE_BATCH,
            {reinterpret_cast<std::uintptr_t>(records.data()), records.size(), from.first, from.block, from.cpu,
             from.registry},
            from.domain);
    }
    void batch(std::span<const mapaudit_record> records) { batch(records, Batch()); }

    wire_ledger ledger() {
        return sum_of_ledgers<wire_ledger>(
            [&](unsigned cpu) -> const wire_ledger& { return kernel.at<wire_ledger>("ledgers", cpu); });
    }
    std::uint64_t lost() { return lost_in(ledger()); }

    // fired = handled + what user space will handle + lost; every lane is free again, every reservation ended.
    void expect_balance(std::uint64_t fired) {
        const wire_ledger sum = ledger();
        EXPECT_EQ(sum.fired, fired);
        EXPECT_EQ(sum.handled + sum.spilled + lost(), fired);
        EXPECT_TRUE(kernel.reserves_balance());
    }

    // Timed calls of an operation of one cell, by its histogram.
    std::uint64_t timed(const wire_cell_op& op) {
        std::uint64_t sum = 0;
        for (const std::uint32_t at : op.latency_page)
            for (std::uint32_t i = 0; at != 0 && i < MAPAUDIT_SUB_BUCKETS; ++i) sum += page(at).count[i];
        return sum;
    }
    // Calls in all cells, of all maps and operations.
    std::uint64_t calls() {
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; i < sizes.lanes * sizes.cells; ++i)
            for (const wire_cell_op& op : kernel.at<wire_cell>("cells", i).op)
                sum += timed(op) + op.counted - op.sampled;
        return sum;
    }

    const UsdtSizes sizes;
    FakeKernel kernel{usdt_maps};
};

inline mapaudit_record record_of(std::uint32_t map, std::uint32_t latency = 100, std::uint8_t op = MAPAUDIT_OP_LOOKUP,
                                 std::uint8_t flags = 0, std::uint32_t wait = 0) {
    const std::uint64_t ticks = std::uint64_t{latency}
                                << ((flags & MAPAUDIT_REC_SCALED) != 0 ? MAPAUDIT_SCALED_SHIFT : 0);
    return {map, latency, wait, static_cast<std::uint16_t>(mapaudit_bucket(ticks)), op, flags};
}

inline std::vector<mapaudit_record> records_of(std::uint32_t map, std::size_t count) {
    return std::vector<mapaudit_record>(count, record_of(map));
}

}  // namespace mapaudit::test
