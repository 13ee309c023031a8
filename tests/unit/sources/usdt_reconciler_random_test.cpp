// SPDX-License-Identifier: Apache-2.0
//
// Counts are exact in whatever order threads, probes and readings come.
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "sources/usdt/usdt_reconciler.hpp"
#include "unit/sources/usdt_target.hpp"

namespace mapaudit::sources {
namespace {

// Threads do, hand over and end, batches come once or twice, blocks are read, levels change: all in any order.
class RandomRun {
public:
    explicit RandomRun(unsigned seed) : random_(seed), threads_(blocks), audit_(threads_, blocks, true) {
        sampled_ = below(2) == 0;
        for (unsigned i = 0; i < 50; ++i) step();  // for an earlier listener
        done_.clear();
        attached_ = true;
        audit_.take_baseline();
    }
    void run(unsigned steps) {
        for (unsigned i = 0; i < steps; ++i) step();
        attached_ = false;
        audit_.take_pending();
        audit_.take_residual();
        EXPECT_EQ(audit_.calls, done_);
        EXPECT_EQ(audit_.missed, 0u);
    }

private:
    static constexpr std::uint32_t blocks = 3;

    unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }
    void step() {
        const unsigned what = below(100);
        const std::uint32_t thread = below(blocks);
        if (what < 80 && !threads_.is_full(thread))
            operate(thread);
        else if (what < 90)
            fire(threads_.hand_over(thread));
        else if (what < 92)
            fire(threads_.end_and_reuse(thread, 1000 + below(1000)));
        else if (what < 97)
            read();
        else
            sampled_ = !sampled_;
    }
    void operate(std::uint32_t thread) {
        const std::uint32_t map = 1 + below(4);
        const int op = static_cast<int>(below(MAPAUDIT_HOT_OPS));
        ++done_[{map, op}];
        if (!sampled_) return threads_.timed(thread, map, op);
        threads_.counted(thread, map, op);
        if (below(8) == 0) threads_.timed(thread, map, op, MAPAUDIT_REC_SAMPLED);
    }
    void fire(const std::optional<FiredBatch>& batch) {
        if (!attached_) return;
        if (below(4) == 0) read();
        audit_.arrives(batch);
        if (below(4) == 0) audit_.arrives(batch);
    }
    void read() {
        if (attached_) audit_.take_pending();
    }

    std::mt19937 random_;
    FakeThreads threads_;
    FakeAudit audit_;
    CallsByOp done_;
    bool attached_ = false, sampled_ = false;
};

TEST(Reconciler, counts_what_was_done_in_whatever_order_things_happen) {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE(seed);
        RandomRun(seed).run(2000);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace mapaudit::sources
