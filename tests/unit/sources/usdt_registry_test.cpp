// SPDX-License-Identifier: Apache-2.0
//
// Blocks and counters of a registry made by hand: what changed while it was read, or cannot be, is not taken.
#include "sources/usdt/usdt_registry.hpp"

#include <gtest/gtest.h>

#include "unit/sources/usdt_own_registry.hpp"

namespace mapaudit::sources {
namespace {

class Registry : public ::testing::Test {
protected:
    Registry() {
        registry_.comes_into_use();
        mapaudit_thread_block& block = registry_.block(0);
        block.tid = 41;
        block.cpu = 1;
        block.epoch = 6;
        block.seq = 1500;
        block.flushed = 1400;
        block.counting = 1;
        block.counters[17] = {9, {1, 2, 3}};
        for (std::uint32_t i = 0; i < MAPAUDIT_RING; ++i) block.records[i].latency = i;
    }
    RegistryReader reader() {
        RegistryReader reader(process_, registry_.address());
        const auto refreshed = reader.refresh();
        EXPECT_TRUE(refreshed && *refreshed);
        return reader;
    }

    Process process_ = own_process();
    OwnRegistry registry_;
};

TEST_F(Registry, tells_blocks_as_they_are) {
    registry_.block(1).tid = 42;
    const auto blocks = reader().blocks(100);
    ASSERT_EQ(blocks.size(), 2u);
    EXPECT_EQ(blocks[0].index, 0u);
    EXPECT_EQ(blocks[0].tid, 41u);
    EXPECT_EQ(blocks[0].cpu, 1u);
    EXPECT_EQ(blocks[0].seq, 1500u);
    EXPECT_EQ(blocks[0].flushed, 1400u);
    EXPECT_TRUE(blocks[0].counting);
    EXPECT_EQ(blocks[1].index, 1u);
    EXPECT_EQ(blocks[1].tid, 42u);
    EXPECT_EQ(reader().blocks(1).size(), 1u);
}

TEST_F(Registry, reads_records_round_the_end_of_the_ring) {
    RegistryBlock block = reader().blocks(1)[0];
    const auto records = reader().records(block, 1020);
    ASSERT_EQ(records.size(), 480u);
    for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].latency, (1020 + i) % MAPAUDIT_RING);
    EXPECT_EQ(reader().records(block, 1500 - MAPAUDIT_RING).size(), std::size_t{MAPAUDIT_RING});
    EXPECT_TRUE(reader().records(block, 1500 - MAPAUDIT_RING - 1).empty()) << "overwritten";
    EXPECT_TRUE(reader().records(block, 1500).empty());
    EXPECT_TRUE(reader().records(block, 1501).empty());
    block.address = 1;
    EXPECT_TRUE(reader().records(block, 1490).empty()) << "unreadable";
}

TEST_F(Registry, reads_counters_that_hold_still) {
    const RegistryBlock block = reader().blocks(1)[0];
    const auto held = reader().counters(block);
    ASSERT_TRUE(held);
    ASSERT_EQ(held->counters.size(), 1u);
    EXPECT_EQ(held->counters[0].map, 9u);
    EXPECT_EQ(held->counters[0].calls[MAPAUDIT_OP_ERASE], 3u);
}

TEST_F(Registry, leaves_counters_alone_that_do_not) {
    const RegistryBlock before = reader().blocks(1)[0];
    registry_.block(0).epoch = 7;  // they are being turned into records
    EXPECT_FALSE(reader().counters(before));
    EXPECT_FALSE(reader().counters(reader().blocks(1)[0]));
    registry_.block(0).epoch = 8;  // they have been; or the block is another thread's by now
    EXPECT_FALSE(reader().counters(before));
    EXPECT_TRUE(reader().counters(reader().blocks(1)[0]));
    const RegistryBlock then = reader().blocks(1)[0];
    ++registry_.block(0).seq;
    EXPECT_FALSE(reader().counters(then)) << "a record came: what was counted may be in it";
    registry_.block(0).counting = 0;
    EXPECT_FALSE(reader().counters(reader().blocks(1)[0])) << "there is nothing in them";
}

TEST_F(Registry, of_another_version_is_refused) {
    registry_.head.version = MAPAUDIT_ABI_VERSION + 1;
    RegistryReader reader(process_, registry_.address());
    const auto refreshed = reader.refresh();
    ASSERT_FALSE(refreshed);
    EXPECT_EQ(refreshed.error().kind, Failure::no_target);
}

TEST_F(Registry, that_claims_more_than_it_has_is_read_as_far_as_it_can_be) {
    registry_.add_map(1, "one").size = {1, 8, 0, 0};  // at an address that cannot be read
    registry_.head.blocks = registry_.head.descs = ~0u;
    EXPECT_EQ(reader().blocks(100).size(), std::size_t{MAPAUDIT_BLOCK_CHUNK});
    const auto maps = reader().maps(10);
    ASSERT_EQ(maps.size(), 1u);
    EXPECT_EQ(maps[0].name, "one");
    EXPECT_EQ(maps[0].size, 0u);
    EXPECT_EQ(maps[0].buckets, std::nullopt) << "not published";
}

}  // namespace
}  // namespace mapaudit::sources
