// SPDX-License-Identifier: Apache-2.0
//
// From a running task to the map and operation it is in: thread blocks known and unknown, readable and not, and each
// sample and each time off the CPU accounted for.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "blame_on_host.h"
#include "fake_kernel.hpp"

namespace mapaudit::test {
namespace {

constexpr std::uint32_t map_id = 7;

class BlameWalk : public ::testing::Test {
protected:
    // A registry with blocks in its first three chunks, all free.
    BlameWalk() {
        blame_load();
        for (const char* name : {"blocks", "off_cpus"}) kernel_.map(name).resize(16);
        kernel_.map("blames").resize(4);
        registry_.blocks = WIRE_BLAME_SCAN;
        for (unsigned chunk = 0; chunk < 3; ++chunk) {
            chunks_[chunk].resize(mapaudit_chunk_size(chunk, MAPAUDIT_BLOCK_CHUNK));
            registry_.block_chunks[chunk] = address_of(chunks_[chunk][0]);
        }
        kernel_.at<std::uint64_t>("registries", 0u) = address_of(registry_);
        wire_blame_process process{};
        process.domains = 1;
        kernel_.map("processes").update(&kernel_.pid, &process, BPF_ANY, 0);
    }

    template <typename T>
    static std::uint64_t address_of(const T& object) {
        return reinterpret_cast<std::uintptr_t>(&object);
    }
    mapaudit_thread_block& block(std::uint32_t index) {
        const std::uint32_t chunk = mapaudit_chunk_of(index, MAPAUDIT_BLOCK_CHUNK);
        return chunks_[chunk][index - mapaudit_chunk_start(chunk, MAPAUDIT_BLOCK_CHUNK)];
    }
    // The current thread has this block, and is in an operation.
    mapaudit_thread_block& enter(std::uint32_t index, std::uint32_t op = MAPAUDIT_OP_LOOKUP) {
        block(index).tid = kernel_.tid;
        block(index).op_map = map_id;
        block(index).op = op;
        return block(index);
    }
    void sample(std::uint32_t counter = WIRE_COUNT_NONE, bool is_sample = true, std::uint64_t period = 1) {
        kernel_.cookie = counter | (is_sample ? WIRE_IS_SAMPLE : 0u);
        blame_sample(period);
    }

    wire_blame_rest& rest() { return kernel_.at<wire_blame_rest>("rests", 0u); }
    wire_blame blame(std::uint32_t op = MAPAUDIT_OP_LOOKUP) {
        const std::uint64_t key = wire_blame_key(0, map_id, op);
        const void* found = kernel_.map("blames").find(&key, 0);
        return found == nullptr ? wire_blame{} : *static_cast<const wire_blame*>(found);
    }
    void expect_balance(std::uint64_t samples) {
        std::uint64_t of_maps = 0;
        for (const auto& [key, row] : kernel_.map("blames").rows<std::uint64_t, wire_blame>())
            of_maps += std::accumulate(std::begin(row.samples), std::end(row.samples), std::uint64_t{0});
        EXPECT_EQ(rest().samples, samples);
        EXPECT_EQ(of_maps + rest().elsewhere + rest().unknown + rest().lost, samples);
    }

    FakeKernel kernel_{blame_maps};
    mapaudit_registry registry_{};
    std::vector<mapaudit_thread_block> chunks_[3];
};

TEST_F(BlameWalk, a_block_is_found_wherever_it_is_in_the_first_chunks) {
    for (const std::uint32_t index : {0u, 7u, 8u, 23u, 24u, WIRE_BLAME_SCAN - 1u}) {
        block(index).tid = 500;
        EXPECT_EQ(blame_scan(0, 500, WIRE_BLAME_SCAN), address_of(block(index))) << index;
        block(index).tid = 0;
    }
}

TEST_F(BlameWalk, a_thread_without_a_block_is_told_from_one_that_was_not_searched_for) {
    constexpr std::uint64_t nothing = 0, gave_up = 1;
    EXPECT_EQ(blame_scan(0, 500, WIRE_BLAME_SCAN), gave_up);  // there may be a fourth chunk
    registry_.blocks = WIRE_BLAME_SCAN - 1;
    EXPECT_EQ(blame_scan(0, 500, WIRE_BLAME_SCAN), nothing);
    EXPECT_EQ(blame_scan(0, 500, WIRE_BLAME_SCAN_SWITCH), gave_up);
    block(WIRE_BLAME_SCAN_SWITCH).tid = 500;
    EXPECT_EQ(blame_scan(0, 500, WIRE_BLAME_SCAN_SWITCH), gave_up);
    registry_.blocks = 0;
    EXPECT_EQ(blame_scan(0, 500, WIRE_BLAME_SCAN), nothing);
    EXPECT_EQ(blame_scan(1, 500, WIRE_BLAME_SCAN), gave_up);  // no registry yet
    EXPECT_EQ(blame_scan(WIRE_MAX_DOMAINS, 500, WIRE_BLAME_SCAN), gave_up);
}

TEST_F(BlameWalk, memory_that_cannot_be_read_is_no_answer) {
    block(9).tid = 500;
    kernel_.hide(&block(8), sizeof(mapaudit_thread_block));
    EXPECT_EQ(blame_scan(0, 500, WIRE_BLAME_SCAN), 1u);
    block(3).tid = 501;
    EXPECT_EQ(blame_scan(0, 501, WIRE_BLAME_SCAN), address_of(block(3)));
    kernel_.hide(&registry_, sizeof registry_);
    EXPECT_EQ(blame_scan(0, 501, WIRE_BLAME_SCAN), 1u);
}

TEST_F(BlameWalk, samples_go_to_the_operations_phase) {
    mapaudit_thread_block& own = enter(2);
    for (const std::uint32_t doing : {0u, MAPAUDIT_IN_LOCK, MAPAUDIT_IN_LOCK | MAPAUDIT_IN_GROW,
                                      MAPAUDIT_IN_LOCK | MAPAUDIT_IN_GROW | MAPAUDIT_IN_WAIT}) {
        own.op = MAPAUDIT_OP_LOOKUP | doing;
        sample();
    }
    for (const std::uint64_t count : blame().samples) EXPECT_EQ(count, 1u);
    own.op_map = 0;
    sample();
    EXPECT_EQ(rest().elsewhere, 1u);
    expect_balance(5);
}

TEST_F(BlameWalk, what_makes_no_sense_is_unknown) {
    enter(2, MAPAUDIT_HOT_OPS);
    sample();
    kernel_.tid = 600;  // has no block among those searched
    sample();
    registry_.blocks = 4;  // and now surely none
    sample();
    EXPECT_EQ(rest().unknown, 2u);
    EXPECT_EQ(rest().elsewhere, 1u);
    expect_balance(3);
}

TEST_F(BlameWalk, a_known_block_is_read_without_a_search) {
    mapaudit_thread_block far{};
    far.tid = kernel_.tid;
    far.op_map = map_id;
    far.op = MAPAUDIT_OP_ASSIGN;
    const std::uint64_t key = wire_thread_key(0, kernel_.tid), address = address_of(far);
    kernel_.map("blocks").update(&key, &address, BPF_ANY, 0);
    sample();
    EXPECT_EQ(blame(MAPAUDIT_OP_ASSIGN).samples[WIRE_PHASE_WORK], 1u);
    far.tid = 0;  // its thread ended: what it left is nobody's, and the present one has another
    enter(1);
    sample();
    EXPECT_EQ(blame(MAPAUDIT_OP_LOOKUP).samples[WIRE_PHASE_WORK], 1u);
    expect_balance(2);
}

TEST_F(BlameWalk, a_full_table_loses_samples_and_says_so) {
    kernel_.map("blames").resize(1);
    enter(0);
    sample();
    block(0).op = MAPAUDIT_OP_ASSIGN;
    sample(WIRE_COUNT_CYCLES, true, 1000);
    EXPECT_EQ(rest().lost, 1u);
    EXPECT_EQ(rest().events[WIRE_COUNT_CYCLES], 1000u);
    expect_balance(2);
}

TEST_F(BlameWalk, counters_are_no_samples_and_strangers_are_not_counted) {
    enter(0);
    sample(WIRE_COUNT_CACHE_MISSES, false, 300);
    sample(WIRE_COUNTERS, false, 300);  // there is no such counter
    EXPECT_EQ(blame().events[WIRE_COUNT_CACHE_MISSES], 300u);
    EXPECT_EQ(rest().events[WIRE_COUNT_CACHE_MISSES], 300u);
    expect_balance(0);
    ++kernel_.pid;
    sample();
    expect_balance(0);
}

TEST_F(BlameWalk, time_off_the_CPU_is_sleep_or_preemption_and_the_lock_is_told_apart) {
    mapaudit_thread_block& own = enter(0);
    const auto off = [&](bool runnable, std::uint64_t ns) {
        blame_switch(kernel_.tid, runnable, 0);
        kernel_.time_ns += ns - 1;  // the look at the clock itself is one
        blame_switch(0, 1, kernel_.tid);
    };
    off(false, 100);
    own.op = MAPAUDIT_OP_LOOKUP | MAPAUDIT_IN_WAIT;
    off(false, 200);
    own.op = MAPAUDIT_OP_LOOKUP | MAPAUDIT_IN_LOCK;
    off(true, 400);
    own.op = MAPAUDIT_OP_LOOKUP | MAPAUDIT_IN_LOCK | MAPAUDIT_IN_WAIT;  // waits, and has another one
    off(true, 800);
    const wire_blame blamed = blame();
    EXPECT_EQ(blamed.sleeps, 2u);
    EXPECT_EQ(blamed.slept_ns, 300u);
    EXPECT_EQ(blamed.lock_sleeps, 1u);
    EXPECT_EQ(blamed.lock_slept_ns, 200u);
    EXPECT_EQ(blamed.preemptions, 2u);
    EXPECT_EQ(blamed.preempted_ns, 1200u);
    EXPECT_EQ(blamed.lock_preemptions, 1u);
    EXPECT_EQ(blamed.lock_preempted_ns, 400u);
    EXPECT_EQ(blamed.migrations, 0u);
}

TEST_F(BlameWalk, who_comes_back_on_another_CPU_has_migrated) {
    enter(0);
    blame_switch(kernel_.tid, 1, 0);
    kernel_.cpu = 1;
    blame_switch(0, 1, kernel_.tid);
    blame_switch(0, 1, kernel_.tid);  // it was not away a second time
    EXPECT_EQ(blame().migrations, 1u);
    EXPECT_EQ(blame().preemptions, 1u);
}

TEST_F(BlameWalk, who_is_in_no_operation_is_not_followed) {
    enter(0).op_map = 0;
    blame_switch(kernel_.tid, 0, 0);
    blame_switch(0, 1, kernel_.tid);
    EXPECT_EQ(kernel_.map("off_cpus").size(), 0u);
    EXPECT_EQ(kernel_.map("blames").size(), 0u);
}

TEST_F(BlameWalk, times_off_the_CPU_that_find_no_place_are_lost_and_counted) {
    enter(0);
    kernel_.map("off_cpus").resize(0);
    blame_switch(kernel_.tid, 0, 0);
    EXPECT_EQ(rest().off_cpu_lost, 1u);
    kernel_.map("off_cpus").resize(1);
    kernel_.map("blames").resize(0);
    blame_switch(kernel_.tid, 0, 0);
    blame_switch(0, 1, kernel_.tid);
    EXPECT_EQ(rest().off_cpu_lost, 2u);
}

TEST_F(BlameWalk, threads_are_looked_for_by_the_ids_of_their_own_namespace) {
    wire_blame_process inner{};
    inner.domains = 1;
    inner.pidns_device = 3;
    inner.pidns_inode = 4;
    kernel_.map("processes").update(&kernel_.pid, &inner, BPF_ANY, 0);
    block(5).tid = 12;
    block(5).op_map = map_id;
    block(5).op = MAPAUDIT_OP_LOOKUP;
    sample();  // the kernel cannot say which thread it is there
    EXPECT_EQ(rest().unknown, 1u);
    kernel_.namespace_device = 3;
    kernel_.namespace_inode = 4;
    kernel_.namespace_tid = 12;
    sample();
    EXPECT_EQ(blame().samples[WIRE_PHASE_WORK], 1u);
    expect_balance(2);
}

}  // namespace
}  // namespace mapaudit::test
