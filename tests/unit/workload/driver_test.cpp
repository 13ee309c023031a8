// SPDX-License-Identifier: Apache-2.0
#include "driver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace mapaudit::workload {
namespace {

// Counts what it is asked to do, so that the driver's own counts can be held against it.
struct CountingMap {
    explicit CountingMap(std::string map_name) : name(std::move(map_name)) {}
    std::string name;
    std::array<std::atomic<std::uint64_t>, 3> calls{};
    std::atomic<std::uint64_t> key_sum{0}, key_max{0};
    std::atomic<std::uint32_t> owner{0};  // kernel's thread id: a pthread_t is soon used again
    std::atomic<bool> shared{false};

    void saw(Operation operation, std::uint64_t key) {
        ++calls[static_cast<unsigned>(operation)];
        key_sum += key * 31 + static_cast<unsigned>(operation);
        for (auto max = key_max.load(); key > max && !key_max.compare_exchange_weak(max, key);) {
        }
        const std::uint32_t self = detail::current_tid();
        std::uint32_t other = 0;
        if (!owner.compare_exchange_strong(other, self) && other != self) shared = true;
    }
    bool assign(std::uint64_t key, std::uint64_t) {
        saw(Operation::assign, key);
        return true;
    }
    std::optional<std::uint64_t> lookup(std::uint64_t key) {
        saw(Operation::lookup, key);
        return {};
    }
    bool erase(std::uint64_t key) {
        saw(Operation::erase, key);
        return true;
    }
    std::uint32_t id() const { return 1; }
    std::uint64_t grows() const { return 0; }
    std::size_t bucket_count() const { return 0; }
    std::size_t size() const { return 0; }
    double load_factor() const { return 0; }
};

struct Never {};

// Outlives the load, to be looked at afterwards.
struct Kept {
    std::vector<std::shared_ptr<CountingMap>> maps;
};
struct Handle {
    std::shared_ptr<CountingMap> map;
    bool assign(std::uint64_t key, std::uint64_t value) { return map->assign(key, value); }
    auto lookup(std::uint64_t key) { return map->lookup(key); }
    bool erase(std::uint64_t key) { return map->erase(key); }
    std::uint32_t id() const { return map->id(); }
    std::uint64_t grows() const { return map->grows(); }
    std::size_t bucket_count() const { return map->bucket_count(); }
    std::size_t size() const { return map->size(); }
    double load_factor() const { return map->load_factor(); }
};

std::variant<Outcome, Failure> run(const Options& options, bool shared, Kept& kept) {
    return drive<Never>(options, shared, [&](const std::string& name) {
        kept.maps.push_back(std::make_shared<CountingMap>(name));
        return std::make_unique<Handle>(Handle{kept.maps.back()});
    });
}

Options base() {
    Options o;
    o.kind = "counting";
    o.ops = 10'007;
    o.erase_ratio = 0.25;
    o.keys = 100;
    return o;
}

TEST(Driver, OpsAreExactHoweverTheyAreSplit) {
    for (const unsigned threads : {1u, 2u, 7u, 64u}) {
        for (const unsigned maps : {1u, 3u, 300u}) {
            for (const bool shared : {true, false}) {
                Options o = base();
                o.threads = threads;
                o.maps = maps;
                Kept kept;
                const auto result = run(o, shared, kept);
                ASSERT_TRUE(std::holds_alternative<Outcome>(result));
                const auto& outcome = std::get<Outcome>(result);
                EXPECT_EQ(outcome.total_ops().sum(), 10'007u);
                ASSERT_EQ(outcome.maps.size(), shared ? maps : std::max(maps, threads));
                for (std::size_t i = 0; i < outcome.maps.size(); ++i)
                    for (unsigned op = 0; op < 3; ++op)
                        ASSERT_EQ(outcome.maps[i].ops[op], kept.maps[i]->calls[op].load()) << i << ' ' << op;
            }
        }
    }
}

TEST(Driver, FewerOperationsThanThreads) {
    Options o = base();
    o.ops = 3;
    o.threads = 7;
    Kept kept;
    const auto result = run(o, true, kept);
    EXPECT_EQ(std::get<Outcome>(result).total_ops().sum(), 3u);
}

TEST(Driver, PartitionedMapsAreNotShared) {
    Options o = base();
    o.threads = 7;
    o.maps = 20;
    Kept kept;
    ASSERT_TRUE(std::holds_alternative<Outcome>(run(o, false, kept)));
    ASSERT_EQ(kept.maps.size(), 20u);
    for (const auto& map : kept.maps) {
        EXPECT_FALSE(map->shared) << map->name;
        EXPECT_GT(map->key_sum.load(), 0u) << map->name << " was never used";
    }
}

TEST(Driver, ThreadsComeAndGo) {
    Options o = base();
    o.threads = 2;
    o.churn_ops = 100;
    Kept kept;
    const auto result = run(o, false, kept);
    EXPECT_EQ(std::get<Outcome>(result).total_ops().sum(), 10'007u);
    for (const auto& map : kept.maps) EXPECT_TRUE(map->shared) << "one thread did it all";
}

TEST(Driver, SameSeedSameOperations) {
    const auto fingerprint = [](std::uint64_t seed, std::uint64_t churn) {
        Options o = base();
        o.threads = 3;
        o.seed = seed;
        o.churn_ops = churn;
        Kept kept;
        std::vector<std::uint64_t> sums;
        (void)run(o, false, kept);
        for (const auto& map : kept.maps) sums.push_back(map->key_sum);
        return sums;
    };
    EXPECT_EQ(fingerprint(1, 0), fingerprint(1, 0));
    EXPECT_EQ(fingerprint(1, 0), fingerprint(1, 57)) << "replacing threads must not change what they draw";
    EXPECT_NE(fingerprint(1, 0), fingerprint(2, 0));
}

TEST(Driver, RatiosAreKept) {
    Options o = base();
    o.ops = 200'000;
    o.read_ratio = 0.7;
    o.erase_ratio = 0.5;
    Kept kept;
    const auto result = run(o, true, kept);
    const OpCounts ops = std::get<Outcome>(result).total_ops();
    EXPECT_NEAR(static_cast<double>(ops[1]) / 200'000, 0.70, 0.005);
    EXPECT_NEAR(static_cast<double>(ops[2]) / 200'000, 0.15, 0.005);
    EXPECT_NEAR(static_cast<double>(ops[0]) / 200'000, 0.15, 0.005);
}

TEST(Driver, ExtremeRatiosLeaveNothingElse) {
    const auto ops_of = [](double read, double erase) {
        Options o = base();
        o.read_ratio = read;
        o.erase_ratio = erase;
        Kept kept;
        return std::get<Outcome>(run(o, true, kept)).total_ops();
    };
    EXPECT_EQ(ops_of(1.0, 0.5), (OpCounts{{0, 10'007, 0}}));
    EXPECT_EQ(ops_of(0.0, 0.0), (OpCounts{{10'007, 0, 0}}));
    EXPECT_EQ(ops_of(0.0, 1.0), (OpCounts{{0, 0, 10'007}}));
    EXPECT_EQ(ops_of(0.7, 1.0)[0], 0u);
}

TEST(Driver, PrefillIsNotCounted) {
    Options o = base();
    o.prefill = 500;
    o.read_ratio = 1.0;
    Kept kept;
    const auto result = run(o, true, kept);
    EXPECT_EQ(std::get<Outcome>(result).total_ops(), (OpCounts{{0, 10'007, 0}}));
    EXPECT_EQ(kept.maps[0]->calls[0].load(), 500u);
    EXPECT_EQ(kept.maps[0]->key_max.load(), 499u);
}

TEST(Driver, RatePacesTheLoad) {
    Options o = base();
    o.ops = 200;
    o.threads = 2;
    o.rate_per_s = 1000;
    Kept kept;
    const auto result = run(o, true, kept);
    const auto& outcome = std::get<Outcome>(result);
    EXPECT_EQ(outcome.total_ops().sum(), 200u);
    // By the schedule the last operation is due at 199 ms; a busy machine may be late, never early.
    EXPECT_GE(outcome.seconds, 0.198);
    EXPECT_LT(outcome.seconds, 5.0);
}

TEST(Driver, DurationEndsTheLoad) {
    Options o = base();
    o.ops.reset();
    o.duration_s = 0.05;
    o.threads = 2;
    Kept kept;
    const auto result = run(o, true, kept);
    const auto& outcome = std::get<Outcome>(result);
    EXPECT_GE(outcome.seconds, 0.05);
    EXPECT_LT(outcome.seconds, 5.0);
    EXPECT_EQ(outcome.total_ops().sum(), kept.maps[0]->calls[0] + kept.maps[0]->calls[1] + kept.maps[0]->calls[2]);
    EXPECT_GT(outcome.total_ops().sum(), 0u);
}

TEST(Driver, EveryOperationIsTimed) {
    Options o = base();
    o.threads = 3;
    o.time_ops = true;
    Kept kept;
    const auto result = run(o, true, kept);
    const auto& outcome = std::get<Outcome>(result);
    ASSERT_NE(outcome.latency, nullptr);
    for (unsigned op = 0; op < 3; ++op) EXPECT_EQ((*outcome.latency)[op].count(), outcome.total_ops()[op]);
    EXPECT_GT(outcome.ns_per_tick, 0.0);
}

struct ThrowingMap {
    std::uint64_t calls = 0;
    void act() {
        if (++calls % 10 == 0) throw std::runtime_error("raced");
    }
    bool assign(std::uint64_t, std::uint64_t) {
        act();
        return true;
    }
    std::optional<std::uint64_t> lookup(std::uint64_t) {
        act();
        return {};
    }
    bool erase(std::uint64_t) {
        act();
        return true;
    }
    std::uint32_t id() const { return 1; }
    std::uint64_t grows() const { return 0; }
    std::size_t bucket_count() const { return 0; }
    std::size_t size() const { return 0; }
    double load_factor() const { return 0; }
};

TEST(Driver, ConflictsAreCountedAndTheLoadGoesOn) {
    Options o = base();
    const auto result =
        drive<std::runtime_error>(o, true, [](const std::string&) { return std::make_unique<ThrowingMap>(); });
    const auto& outcome = std::get<Outcome>(result);
    EXPECT_EQ(outcome.conflicts, 1000u);
    EXPECT_EQ(outcome.total_ops().sum(), 10'007u);
}

TEST(Driver, OtherExceptionsEndTheLoad) {
    Options o = base();
    o.threads = 2;
    const auto result = drive<Never>(o, false, [](const std::string&) { return std::make_unique<ThrowingMap>(); });
    ASSERT_TRUE(std::holds_alternative<Failure>(result));
    EXPECT_EQ(std::get<Failure>(result).exit_code, exit_failed);
    EXPECT_NE(std::get<Failure>(result).line.find("raced"), std::string::npos);
}

}  // namespace
}  // namespace mapaudit::workload
