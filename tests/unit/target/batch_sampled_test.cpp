// SPDX-License-Identifier: Apache-2.0
//
// The sampled level: every call counted, some timed. Semaphores are raised by hand, and nothing hangs on the probes.
#include "batch_fixture.hpp"

#include <mapaudit/go_map.hpp>

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#ifndef MAPAUDIT_NO_PROBES
namespace {

using namespace mapaudit;
using namespace mapaudit_test;

using u64 = std::uint64_t;

using BatchSampled = Batch;

// Reads what the calling thread's operations left, record by record, before the ring comes round.
class tally {
public:
    tally() : next_(my_block().seq) {}

    void read() {
        for (; next_ < my_block().seq; ++next_) {
            const mapaudit_record& record = my_block().records[next_ % MAPAUDIT_RING];
            if ((record.flags & MAPAUDIT_REC_COUNT) != 0) {
                EXPECT_GT(record.latency, 0u);
                counted_[{record.map, record.op}] += record.latency;
            } else {
                EXPECT_NE(record.flags & MAPAUDIT_REC_SAMPLED, 0);
                expect_sound(record);
                ++samples;
            }
        }
    }
    // Calls in COUNT records and in the counting table.
    u64 calls(std::uint32_t map, mapaudit_op what) const {
        const auto emitted = counted_.find({map, what});
        u64 sum = emitted == counted_.end() ? 0 : emitted->second;
        for (const auto& slot : my_block().counters)
            if (slot.map == map) sum += slot.calls[what];
        return sum;
    }

    u64 samples = 0;

private:
    std::map<std::pair<std::uint32_t, int>, u64> counted_;
    u64 next_;
};

TEST_F(BatchSampled, SampledCountsEveryCall) {
    go_map<u64, u64> map;
    const listening on(MAPAUDIT_SEM_BATCH_SAMPLED);
    tally seen;
    constexpr u64 rounds = 20'011;
    for (u64 i = 0; i < rounds; ++i) {
        map.assign(i % 50, i);
        static_cast<void>(map.lookup(i % 100));
        static_cast<void>(map.lookup(i % 100));
        if (i % 3 == 0) map.erase(i % 50);
        if (i % 1'009 == 0) my_block().deadline = 0;  // the next sample turns the table into records
        seen.read();
        ASSERT_EQ(my_block().epoch % 2, 0u);
        ASSERT_EQ(seen.calls(map.id(), MAPAUDIT_OP_ASSIGN), i + 1);
    }
    EXPECT_EQ(seen.calls(map.id(), MAPAUDIT_OP_LOOKUP), 2 * rounds);
    EXPECT_EQ(seen.calls(map.id(), MAPAUDIT_OP_ERASE), (rounds + 2) / 3);
    const u64 calls = 3 * rounds + (rounds + 2) / 3;
    const double expected = static_cast<double>(calls) / detail::sampling_stride;
    EXPECT_NEAR(static_cast<double>(seen.samples), expected, expected / 10);
}

TEST_F(BatchSampled, SampledCountsMapsThatShareASlot) {
    std::vector<std::unique_ptr<go_map<u64, u64>>> maps;
    while (maps.size() <= MAPAUDIT_COUNTERS) maps.push_back(std::make_unique<go_map<u64, u64>>());
    auto &a = *maps.front(), &b = *maps.back();
    ASSERT_EQ(a.id() % MAPAUDIT_COUNTERS, b.id() % MAPAUDIT_COUNTERS);
    const listening on(MAPAUDIT_SEM_BATCH_SAMPLED);
    tally seen;
    for (u64 i = 0; i < 2'003; ++i) {
        a.assign(i % 7, i);
        if (i % 3 == 0) b.erase(i);
        seen.read();
    }
    EXPECT_EQ(seen.calls(a.id(), MAPAUDIT_OP_ASSIGN), 2'003u);
    EXPECT_EQ(seen.calls(b.id(), MAPAUDIT_OP_ERASE), 668u);
    EXPECT_EQ(seen.calls(b.id(), MAPAUDIT_OP_ASSIGN), 0u);
}

TEST_F(BatchSampled, FullTakesPrecedenceOverSampled) {
    go_map<u64, u64> map;
    const listening sampled(MAPAUDIT_SEM_BATCH_SAMPLED), full(MAPAUDIT_SEM_BATCH);
    const u64 seq = my_block().seq;
    for (u64 i = 0; i < 101; ++i) map.assign(0, i);
    EXPECT_EQ(my_block().seq, seq + 101);
    for (const auto& slot : my_block().counters) EXPECT_NE(slot.map, map.id());
    for (const auto& record : records_since(seq, map.id()))
        EXPECT_EQ(record.flags & (MAPAUDIT_REC_COUNT | MAPAUDIT_REC_SAMPLED), 0);
}

}  // namespace
#endif
