// SPDX-License-Identifier: Apache-2.0
//
// The go source's programs, with goroutines and classic maps as they find them in a target's memory.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "fake_kernel.hpp"
#include "go_on_host.h"

namespace mapaudit::test {

struct GoSizes {
    std::uint32_t calls = 256, sites = 32, inside = 32, used = 32, growths = 32;
};

// Its first two words are its stack's bounds: none, so that no map lies there.
struct Goroutine {
    explicit Goroutine(std::uint64_t id) { words[number_at] = id; }
    static constexpr std::size_t number_at = 4;

    std::uint64_t address() const { return reinterpret_cast<std::uintptr_t>(words.data()); }

    std::array<std::uint64_t, 8> words{};
};

struct GoMap {
    wire_go_hmap head{.count = 10, .flags = 0, .log2_buckets = 3, .overflow = 0, .seed = 99};

    std::uint64_t address() const { return reinterpret_cast<std::uintptr_t>(&head); }
    go_users users() const {
        go_users found{};
        go_users_of(address(), &found);
        return found;
    }
};

class GoHost {
public:
    explicit GoHost(const GoSizes& sizes = {}) {
        go_load();
        for (const char* name : {"calls_even", "calls_odd"}) kernel.map(name).resize(sizes.calls);
        for (const char* name : {"growths_even", "growths_odd"}) kernel.map(name).resize(sizes.growths);
        for (const char* name : {"call_spills", "sites", "spills"}) kernel.map(name).resize(sizes.sites);
        kernel.map("inside").resize(sizes.inside);
        kernel.map("used").resize(sizes.used);
    }

    void begin(const Goroutine& goroutine, const GoMap& map, std::uint32_t op,
               wire_go_probe probe = WIRE_GO_OPERATION) {
        const std::uint64_t cookie = kernel.cookie;
        kernel.cookie = cookie_of(probe) | std::uint64_t{op} << WIRE_GO_OP_SHIFT;
        const go_registers regs = registers_of(goroutine, map.address());
        go_begin(&regs);
        kernel.cookie = cookie;
    }
    void end(const Goroutine& goroutine, wire_go_probe probe = WIRE_GO_RETURN) {
        const std::uint64_t cookie = kernel.cookie;
        kernel.cookie = cookie_of(probe);
        const go_registers regs = registers_of(goroutine, 0);
        go_end(&regs);
        kernel.cookie = cookie;
    }
    void grow(const Goroutine& goroutine, std::uint64_t map) {
        kernel.cookie = cookie_of(WIRE_GO_GROW);
        const go_registers regs = registers_of(goroutine, map);
        go_hit(&regs);
    }

    wire_go_ledger ledger() {
        const unsigned before = kernel.cpu;
        const auto sum = sum_of_ledgers<wire_go_ledger>([&](unsigned cpu) -> const wire_go_ledger& {
            kernel.cpu = cpu;  // the table has one for each
            return kernel.at<wire_go_ledger>("ledgers", 0u);
        });
        kernel.cpu = before;
        return sum;
    }
    std::uint64_t lost() { return lost_in(ledger()); }
    void expect_balance(std::uint64_t fired) {
        EXPECT_EQ(ledger().fired, fired);
        EXPECT_EQ(ledger().handled + lost(), fired);
        EXPECT_TRUE(kernel.reserves_balance());
    }

    struct Calls {
        std::uint64_t calls = 0, timed = 0, conflicts = 0;
    };
    // Counts of all maps, with those that found no row by map.
    Calls calls() {
        Calls sums;
        for (const char* name : {"calls_even", "call_spills"})
            for (const auto& [key, row] : kernel.map(name).rows<wire_go_calls_key, wire_go_calls>()) {
                ((key.op & WIRE_GO_TIMES) != 0 ? sums.timed : sums.calls) += row.calls;
                sums.conflicts += row.conflicts;
            }
        return sums;
    }
    std::vector<wire_go_conflict> conflicts() {
        std::vector<wire_go_conflict> all;
        for (const auto& bytes : kernel.ring("conflicts").drain()) {
            EXPECT_EQ(bytes.size(), sizeof(wire_go_conflict));
            std::memcpy(&all.emplace_back(), bytes.data(), sizeof(wire_go_conflict));
        }
        return all;
    }

    FakeKernel kernel{go_maps};

private:
    static std::uint64_t cookie_of(wire_go_probe probe) {
        return probe | sizeof(std::uint64_t) * Goroutine::number_at << WIRE_GO_GOID_SHIFT;
    }
    go_registers registers_of(const Goroutine& goroutine, std::uint64_t map) const {
        go_registers regs{};
        regs.ax = 0x5000;  // the type's address: no more than a number to operations
        regs.bx = map;
        regs.goroutine = goroutine.address();
        regs.ip = 0x401000;
        regs.sp = reinterpret_cast<std::uintptr_t>(&return_address_);
        return regs;
    }

    std::uint64_t return_address_ = 0x402000;
};

}  // namespace mapaudit::test
