// SPDX-License-Identifier: Apache-2.0
//
// Which records of a batch are new: each is counted once, whoever gets to it first, and a gap is a loss.
#include <atomic>
#include <chrono>
#include <thread>

#include "usdt_host.hpp"

namespace mapaudit::test {
namespace {

constexpr std::uint64_t seen = WIRE_TAKEN_SEEN;

struct Taken {
    std::uint32_t skipped = 0;
    std::uint64_t missed = 0;
    bool operator==(const Taken&) const = default;
};

class Take : public ::testing::Test {
protected:
    Taken take(std::uint64_t first, std::uint32_t count, std::uint32_t block = 0) {
        Taken taken;
        __u64 missed = 0;
        taken.skipped = usdt_take(&host_.domain(), block, first, count, &missed);
        taken.missed = missed;
        return taken;
    }

    UsdtHost host_;
};

TEST_F(Take, batches_in_order_are_taken_whole) {
    EXPECT_EQ(take(0, 512), (Taken{0, 0}));
    EXPECT_EQ(take(512, 3), (Taken{0, 0}));
    EXPECT_EQ(host_.taken(0), 515 | seen);
}

TEST_F(Take, a_gap_before_the_first_batch_is_from_before_the_attach) {
    EXPECT_EQ(take(1000, 10), (Taken{0, 0}));
    EXPECT_EQ(host_.taken(0), 1010 | seen);
}

TEST_F(Take, a_later_gap_was_missed) {
    take(1000, 10);
    EXPECT_EQ(take(1015, 10), (Taken{0, 5}));
    EXPECT_EQ(take(1025, 1), (Taken{0, 0}));
}

TEST_F(Take, what_the_auditor_has_read_is_skipped) {
    host_.taken(0) = 1004;  // it does not claim to have seen a batch
    EXPECT_EQ(take(1000, 10), (Taken{4, 0}));
    EXPECT_EQ(host_.taken(0), 1010 | seen);
}

TEST_F(Take, a_batch_seen_twice_is_taken_once) {
    take(1000, 10);
    EXPECT_EQ(take(1000, 10), (Taken{10, 0}));
    EXPECT_EQ(take(990, 10), (Taken{10, 0}));
    EXPECT_EQ(take(995, 10), (Taken{10, 0}));
    EXPECT_EQ(host_.taken(0), 1010 | seen);
}

TEST_F(Take, a_batch_that_overlaps_leaves_its_end) {
    take(1000, 10);
    EXPECT_EQ(take(1005, 10), (Taken{5, 0}));
    EXPECT_EQ(host_.taken(0), 1015 | seen);
}

TEST_F(Take, blocks_have_marks_of_their_own) {
    take(1000, 10, 1);
    EXPECT_EQ(take(0, 10, 2), (Taken{0, 0}));
    EXPECT_EQ(host_.taken(1), 1010 | seen);
    EXPECT_EQ(host_.taken(2), 10 | seen);
}

TEST_F(Take, a_block_beyond_the_limit_has_no_mark_and_is_taken) {
    EXPECT_EQ(take(7, 10, host_.sizes.blocks), (Taken{0, 0}));
    EXPECT_EQ(take(7, 10, ~0u), (Taken{0, 0}));
    for (std::uint32_t block = 0; block < host_.sizes.blocks; ++block) EXPECT_EQ(host_.taken(block), 0u);
}

TEST_F(Take, a_domain_beyond_the_table_has_no_mark_and_is_taken) {
    host_.domain().thread_base = host_.sizes.blocks;  // its entries lie behind the last one
    EXPECT_EQ(take(7, 10), (Taken{0, 0}));
}

// The auditor moves the mark between the program's look and its compare-and-swap.
TEST_F(Take, an_auditor_that_is_faster_takes_its_part) {
    host_.kernel.before_atomic = [this](const volatile void* at) {
        if (at != &host_.taken(0)) return;
        host_.kernel.before_atomic = nullptr;
        host_.taken(0) = 1004;
    };
    EXPECT_EQ(take(1000, 10), (Taken{4, 0}));
    EXPECT_EQ(host_.taken(0), 1010 | seen);
}

TEST_F(Take, an_auditor_that_is_faster_may_take_all) {
    host_.kernel.before_atomic = [this](const volatile void*) { host_.taken(0) = 1010; };
    EXPECT_EQ(take(1000, 10), (Taken{10, 0}));
    EXPECT_EQ(host_.taken(0), 1010u);
}

// Whoever loses the mark each time gives up, and what nobody else takes is missed by the next batch.
TEST_F(Take, who_loses_every_race_leaves_a_gap_for_the_next_batch) {
    take(990, 10);
    int races = 0;
    host_.kernel.before_atomic = [&](const volatile void*) { host_.taken(0) = (1000 + ++races) | seen; };
    EXPECT_EQ(take(1000, 10), (Taken{10, 0}));
    EXPECT_EQ(races, 4);
    host_.kernel.before_atomic = nullptr;
    EXPECT_EQ(take(1010, 10), (Taken{0, 6}));
}

// Each record belongs to one of two threads that both claim all of them, in steps of different sizes.
TEST_F(Take, two_takers_share_out_every_record) {
    constexpr std::uint64_t most = 200'000;
    std::atomic<std::uint64_t> by_program = 0, by_auditor = 0;
    std::uint64_t& mark = host_.taken(0);
    std::jthread auditor([&] {
        for (std::uint64_t old = __atomic_load_n(&mark, __ATOMIC_ACQUIRE); (old & ~seen) < most;) {
            const std::uint64_t from = old & ~seen, to = std::min(from + 7, most);
            if (__atomic_compare_exchange_n(&mark, &old, to | (old & seen), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
                by_auditor += to - from;
        }
    });
    for (std::uint64_t first = 0; first < most; first += 10) {
        const Taken taken = take(first, 10);
        by_program += 10 - taken.skipped;
        ASSERT_EQ(taken.missed, 0u);
        // Where the program gave up, the records are the auditor's.
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while ((__atomic_load_n(&mark, __ATOMIC_ACQUIRE) & ~seen) < first + 10) {
            ASSERT_LT(std::chrono::steady_clock::now(), limit);
            std::this_thread::yield();
        }
    }
    auditor.join();
    EXPECT_EQ(by_program + by_auditor, most);
}

}  // namespace
}  // namespace mapaudit::test
