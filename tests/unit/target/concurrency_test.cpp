// SPDX-License-Identifier: Apache-2.0
//
// The maps that several threads may use at once. All loops are bounded, readers' too: glibc's rwlock lets a stream of
// readers that never breaks off starve writers.
#include <mapaudit/cache_map.hpp>
#include <mapaudit/cas_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/operation_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace mapaudit;

using u64 = std::uint64_t;

constexpr unsigned threads = 4;

// Runs body(0) … body(count - 1) in threads that start together.
template <class Body>
void together(unsigned count, Body body) {
    std::barrier start(static_cast<std::ptrdiff_t>(count));
    std::vector<std::thread> all;
    for (unsigned t = 0; t < count; ++t)
        all.emplace_back([&, t] {
            start.arrive_and_wait();
            body(t);
        });
    for (auto& thread : all) thread.join();
}

// Too large for a register, so that half of one value beside half of another would show.
struct stamped {
    u64 key = 0, version = 0, check = 0;
    static stamped of(u64 key, u64 version) { return {key, version, check_of(key, version)}; }
    static u64 check_of(u64 key, u64 version) { return (key * 31 + version) ^ 0xA5A5A5A5A5A5A5A5u; }
    bool whole(u64 expected_key) const { return key == expected_key && check == check_of(key, version); }
};

template <template <class...> class Kind>
struct kind_of {
    template <class K, class V>
    using map = Kind<K, V>;
};
template <class Kind>
class Concurrency : public testing::Test {};
using Kinds = testing::Types<kind_of<mutex_map>, kind_of<rwlock_map>, kind_of<sharded_map>, kind_of<tophash_map>,
                             kind_of<cas_map>, kind_of<sync_map>, kind_of<snapshot_map>, kind_of<cache_map>,
                             kind_of<operation_map>>;
TYPED_TEST_SUITE(Concurrency, Kinds);

TYPED_TEST(Concurrency, DisjointKeysAreAllThere) {
    constexpr u64 each = 4'999;
    typename TypeParam::template map<u64, u64> map;
    std::atomic<u64> fresh = 0;
    together(threads, [&](unsigned t) {
        for (u64 i = 0; i < each; ++i) fresh += map.assign(i * threads + t, i ^ t) ? 1 : 0;
    });
    EXPECT_EQ(fresh, each * threads);
    EXPECT_EQ(map.size(), each * threads);
    for (unsigned t = 0; t < threads; ++t)
        for (u64 i = 0; i < each; ++i) ASSERT_EQ(map.lookup(i * threads + t), i ^ t);
}

TYPED_TEST(Concurrency, OneThreadInsertsAndOneErasesEachKey) {
    constexpr u64 keys = 2'503;
    typename TypeParam::template map<std::string, u64> map;
    std::atomic<u64> fresh = 0, gone = 0;
    together(threads, [&](unsigned t) {
        for (u64 i = 0; i < keys; ++i) fresh += map.assign(std::to_string(i), t) ? 1 : 0;
    });
    EXPECT_EQ(fresh, keys);
    EXPECT_EQ(map.size(), keys);
    together(threads, [&](unsigned t) {
        for (u64 i = 0; i < keys; ++i) gone += map.erase(std::to_string((i + t * keys / threads) % keys)) ? 1 : 0;
    });
    EXPECT_EQ(gone, keys);
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(Concurrency, InsertionsLessErasuresIsTheSize) {
    typename TypeParam::template map<u64, u64> map;
    std::atomic<std::int64_t> balance = 0;
    together(threads, [&](unsigned t) {
        u64 random = t + 1;
        for (int i = 0; i < 8'000; ++i) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            const u64 key = (random >> 33) % 97;
            if ((random >> 62) < 2)
                balance += map.assign(key, random) ? 1 : 0;
            else
                balance -= map.erase(key) ? 1 : 0;
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(map.size()), balance.load());
    std::int64_t visited = 0;
    map.for_each([&](const u64&, const u64&) { ++visited; });
    EXPECT_EQ(visited, balance.load());
}

// One writer a key, versions going up: a reader sees whole values only, and never an older one than before.
TYPED_TEST(Concurrency, ReadersSeeWholeValuesThatNeverGoBack) {
    constexpr u64 keys = 16, versions = 600;
    typename TypeParam::template map<u64, stamped> map;
    for (u64 k = 0; k < keys; ++k) map.assign(k, stamped::of(k, 0));
    std::atomic<u64> torn = 0, backwards = 0, missing = 0;
    together(4, [&](unsigned t) {
        if (t < 2) {
            for (u64 version = 1; version <= versions; ++version)
                for (u64 k = t; k < keys; k += 2) {
                    map.assign(k, stamped::of(k, version));
                    map.assign(1'000 + k * versions + version, stamped::of(0, version));  // makes the table grow
                }
            return;
        }
        u64 last[keys] = {};
        for (u64 round = 0; round < versions; ++round)
            for (u64 k = 0; k < keys; ++k) {
                stamped seen;
                if (t == 2) {
                    seen = map.lookup(k).value_or(stamped{});
                } else {
                    missing += map.visit(k, [&](const stamped& v) { seen = v; }) ? 0 : 1;
                }
                torn += seen.whole(k) ? 0 : 1;
                backwards += seen.version < last[k] ? 1 : 0;
                last[k] = seen.version;
            }
    });
    EXPECT_EQ(torn, 0u);
    EXPECT_EQ(missing, 0u);
    EXPECT_EQ(backwards, 0u);
    EXPECT_EQ(map.size(), keys + keys * versions);
    for (u64 k = 0; k < keys; ++k) EXPECT_EQ(map.lookup(k)->version, versions);
}

TYPED_TEST(Concurrency, ForEachVisitsWhatStaysOnceWhileOthersComeAndGo) {
    constexpr u64 permanent = 500;
    typename TypeParam::template map<u64, stamped> map;
    for (u64 k = 0; k < permanent; ++k) map.assign(k, stamped::of(k, 0));
    std::atomic<u64> wrong = 0;
    together(3, [&](unsigned t) {
        if (t < 2) {
            for (u64 i = 0; i < 6'000; ++i) {
                const u64 key = permanent + t + 2 * (i % 3'000);
                i < 3'000 ? static_cast<void>(map.assign(key, stamped::of(key, i))) : static_cast<void>(map.erase(key));
            }
            return;
        }
        for (int round = 0; round < 20; ++round) {
            std::vector<int> visits(permanent);
            map.for_each([&](const u64& k, const stamped& v) {
                wrong += v.whole(k) ? 0 : 1;
                if (k < permanent) ++visits[k];
            });
            for (const int n : visits) wrong += n == 1 ? 0 : 1;
        }
    });
    EXPECT_EQ(wrong, 0u);
    EXPECT_EQ(map.size(), permanent);
}

TYPED_TEST(Concurrency, TotalsAndClearRunBesideWrites) {
    typename TypeParam::template map<std::string, stamped> map;
    const auto key_of = [](u64 number) { return "a key that lives on the heap, number " + std::to_string(number); };
    std::atomic<u64> wrong = 0;
    together(threads, [&](unsigned t) {
        for (u64 i = 0; i < 1'500; ++i) {
            if (t == 0 && i % 100 == 99) map.clear();
            if (t == 1) {
                wrong += map.size() > threads * 1'500 || map.bucket_count() == 0 ? 1 : 0;
                static_cast<void>(map.load_factor() + static_cast<double>(map.grows() + map.overflow_buckets()));
            }
            map.assign(key_of(i * threads + t), stamped::of(i * threads + t, i));
        }
    });
    EXPECT_EQ(wrong, 0u);
    u64 visited = 0;
    map.for_each([&](const std::string& key, const stamped& value) {
        visited += value.whole(value.key) && key == key_of(value.key) ? 1 : 0;
    });
    EXPECT_EQ(visited, map.size());
    map.clear();
    EXPECT_TRUE(map.empty());
}

}  // namespace
