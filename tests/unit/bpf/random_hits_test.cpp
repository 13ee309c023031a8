// SPDX-License-Identifier: Apache-2.0
//
// Random sequences of hits against a model that knows only which records a batch brought for the first time: whatever
// becomes of them, handled + spilled + lost = fired, and what was handled is in the cells.
#include <random>

#include "usdt_host.hpp"

namespace mapaudit::test {
namespace {

class RandomHits : public ::testing::TestWithParam<unsigned> {
protected:
    // Too little of everything.
    UsdtHost host_{UsdtSizes{.lanes = 3,
                             .cells = 5,
                             .others = 2,
                             .slots = 16,
                             .pages = 30,
                             .pages_for_others = 6,
                             .extras = 3,
                             .blocks = 3,
                             .evidence = 8,
                             .stacks = 4}};
    std::mt19937 random_{GetParam()};
    std::vector<mapaudit_record> memory_ = std::vector<mapaudit_record>(MAPAUDIT_BATCH);

    struct Sequence {
        std::uint64_t next = 0;
        bool seen = false;
    };
    std::array<std::array<Sequence, 4>, 2> sequences_;  // by domain and block; the last block has no mark

    std::uint64_t fired_ = 0, count_records_ = 0, handed_over_ = 0;

    unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }
    bool once_in(unsigned many) { return below(many) == 0; }

    mapaudit_record random_record() {
        static constexpr std::uint8_t flags[] = {
            0, 0, 0, MAPAUDIT_REC_SAMPLED, MAPAUDIT_REC_MIGRATED, MAPAUDIT_REC_SCALED, MAPAUDIT_REC_GREW};
        mapaudit_record record = record_of(below(12), 1u << below(20), static_cast<std::uint8_t>(below(3)),
                                           flags[below(std::size(flags))], once_in(5) ? below(1000) : 0);
        if (once_in(40)) record.op = static_cast<std::uint8_t>(below(256));
        if (once_in(40)) record.bucket = static_cast<std::uint16_t>(below(65536));
        return record;
    }

    void fire_batch() {
        UsdtHost::Batch from;
        from.domain = below(2);
        from.block = below(4);
        from.cpu = below(host_.sizes.lanes + 1);
        if (once_in(30)) from.registry += 8;
        Sequence& sequence = sequences_[from.domain][from.block];
        const bool marked = from.block < host_.sizes.blocks;
        const unsigned count = 1 + below(once_in(3) ? MAPAUDIT_BATCH : 40);
        from.first = sequence.next;
        if (marked && once_in(4)) from.first -= std::min<std::uint64_t>(from.first, below(50));
        if (once_in(10)) from.first += below(50);
        for (unsigned i = 0; i < count; ++i) memory_[i] = random_record();
        host_.batch(std::span(memory_).first(count), from);

        const std::uint64_t end = from.first + count;
        if (from.cpu >= host_.sizes.lanes || from.registry != UsdtHost::registry) {
            fired_ += count;  // refused ahead of its mark
            return;
        }
        if (!marked) {
            fired_ += count;
            sequence.next = end;
            return;
        }
        if (sequence.seen && from.first > sequence.next) fired_ += from.first - sequence.next;  // missed
        fired_ += end > sequence.next ? end - std::max(from.first, sequence.next) : 0;
        if (end > sequence.next) sequence = {end, true};
    }

    void fire_single() {
        host_.kernel.cpu = below(host_.sizes.lanes);
        const std::uint32_t domain = below(2), map = 1 + below(12);
        switch (below(4)) {
            case 0:
                host_.hit(WIRE_LOOKUP, {map, below(1u << 20), below(2), below(2) * MAPAUDIT_REC_MIGRATED, 0, 0},
                          domain);
                ++fired_;
                break;
            case 1:
                host_.hit(WIRE_GROW, {map, 8, 16, below(1000), 0, 0}, domain);
                ++fired_;
                break;
            case 2:
                host_.hit(WIRE_CONFLICT, {map, below(3), below(4), MAPAUDIT_SIDE_SECOND, 0, 0}, domain);
                ++fired_;
                ++conflicts_;
                break;
            default:
                host_.hit(WIRE_CONTENDED, {map, below(5), below(1000), below(4), below(1000), 0}, domain);
                host_.hit(WIRE_RELEASED, {map, below(5), below(1000), 0, 0, 0}, domain);
        }
    }

    // What another thread has a hand in.
    void change_something() {
        host_.lane(below(host_.sizes.lanes)).busy = once_in(4);
        host_.kernel.ring("events").refuses = once_in(6);
        if (once_in(3)) count_events();
    }

    void count_events() {
        for (const auto& bytes : host_.kernel.ring("events").drain()) {
            wire_event event;
            std::memcpy(&event, bytes.data(), sizeof event);
            if (event.type == WIRE_EVENT_SPILL)
                handed_over_ += reinterpret_cast<const wire_spill*>(bytes.data())->count;
            else if (event.type == WIRE_EVENT_GROW)
                handed_over_ += reinterpret_cast<const wire_grow*>(bytes.data())->counted == 0;
            else if (event.type == WIRE_EVENT_CONFLICT)
                handed_over_ += reinterpret_cast<const wire_conflict*>(bytes.data())->counted == 0;
        }
    }

    std::uint64_t conflicts_ = 0;

    // Calls and conflicts that the cells hold.
    std::uint64_t in_cells() {
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; i < host_.sizes.lanes * host_.sizes.cells; ++i)
            for (const wire_cell_op& op : host_.kernel.at<wire_cell>("cells", i).op)
                sum += host_.timed(op) + op.conflicts;
        return sum;
    }
};

TEST_P(RandomHits, the_ledger_balances) {
    for (int i = 0; i < 1000; ++i) {
        if (once_in(3)) change_something();
        once_in(3) ? fire_single() : fire_batch();
        if (i % 100 == 0) host_.expect_balance(fired_);
        ASSERT_FALSE(HasFailure()) << "step " << i;
    }
    host_.expect_balance(fired_);
    count_events();
    const wire_ledger ledger = host_.ledger();
    EXPECT_EQ(handed_over_, ledger.spilled);
    EXPECT_EQ(in_cells(), ledger.handled);
    for (const wire_loss cause :
         {WIRE_LOST_MALFORMED, WIRE_LOST_BUSY, WIRE_LOST_NO_PAGE, WIRE_LOST_RING, WIRE_LOST_MISSED, WIRE_LOST_REGISTRY})
        EXPECT_GT(ledger.lost[cause], 0u) << "never provoked: " << cause;
    EXPECT_GT(ledger.handled, 0u);
    EXPECT_GT(ledger.spilled, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHits, ::testing::Range(1u, 6u));

}  // namespace
}  // namespace mapaudit::test
