// SPDX-License-Identifier: Apache-2.0
//
// The commands on every kind of map: what they answer, when items are gone, and that nothing comes between.
#include "store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace kvd {
namespace {

// Passes when told to.
class HandClock : public Clock {
public:
    std::int64_t steady_ms() const override {
        if (until_call > 0 && --until_call == 0) at_call();
        return now_ms;
    }
    std::int64_t unix_ms() const override { return now_ms + 1'700'000'000'000; }
    std::atomic<std::int64_t> now_ms = 5000;
    mutable int until_call = 0;  // of steady_ms, until at_call: for one thread
    std::function<void()> at_call;
};

class StoreOf : public testing::TestWithParam<std::string_view> {
protected:
    std::string value_of(const std::string& key) {
        const ItemPtr item = store.get(key);
        return item == nullptr ? "(none)" : item->value;
    }
    Outcome put(StoreMode mode, const std::string& key, const std::string& value, std::int64_t exptime = 0) {
        return store.store(mode, key, {.flags = 3, .exptime = exptime, .value = value});
    }
    Outcome set(const std::string& key, const std::string& value, std::int64_t exptime = 0) {
        return put(StoreMode::set, key, value, exptime);
    }

    HandClock clock;
    Store store{make_table(GetParam(), "items"), 4 << 20, clock};
};

INSTANTIATE_TEST_SUITE_P(Kinds, StoreOf, testing::ValuesIn(table_kinds()),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(StoreOf, StoresByMode) {
    EXPECT_EQ(put(StoreMode::replace, "a", "1"), Outcome::not_stored);
    EXPECT_EQ(put(StoreMode::append, "a", "1"), Outcome::not_stored);
    EXPECT_EQ(put(StoreMode::prepend, "a", "1"), Outcome::not_stored);
    EXPECT_EQ(put(StoreMode::cas, "a", "1"), Outcome::not_found);
    EXPECT_EQ(value_of("a"), "(none)");
    EXPECT_EQ(put(StoreMode::add, "a", "1"), Outcome::done);
    EXPECT_EQ(put(StoreMode::add, "a", "2"), Outcome::not_stored);
    EXPECT_EQ(value_of("a"), "1");
    EXPECT_EQ(put(StoreMode::replace, "a", "3"), Outcome::done);
    EXPECT_EQ(store.store(StoreMode::append, "a", {.flags = 9, .exptime = 1, .value = "4"}), Outcome::done);
    EXPECT_EQ(put(StoreMode::prepend, "a", "2"), Outcome::done);
    clock.now_ms += 10'000;  // an append's expiry is not the item's
    ASSERT_NE(store.get("a"), nullptr);
    EXPECT_EQ(value_of("a"), "234");
    EXPECT_EQ(store.get("a")->flags, 3u);
    EXPECT_EQ(set("a", ""), Outcome::done);
    EXPECT_EQ(value_of("a"), "");
    EXPECT_EQ(store.remove("a"), Outcome::done);
    EXPECT_EQ(store.remove("a"), Outcome::not_found);
    EXPECT_EQ(store.items(), 0u);
}

TEST_P(StoreOf, CasTakesTheItemThatWasSeen) {
    set("a", "1");
    const std::uint64_t seen = store.get("a")->cas;
    EXPECT_EQ(store.store(StoreMode::cas, "a", {.value = "2", .cas = seen + 1}), Outcome::exists);
    EXPECT_EQ(store.store(StoreMode::cas, "a", {.value = "2", .cas = seen}), Outcome::done);
    EXPECT_EQ(store.store(StoreMode::cas, "a", {.value = "3", .cas = seen}), Outcome::exists);
    EXPECT_EQ(value_of("a"), "2");
    const std::uint64_t now = store.get("a")->cas;
    EXPECT_GT(now, seen);
    store.touch("a", 100);
    EXPECT_EQ(store.get("a")->cas, now);
}

TEST_P(StoreOf, Counts) {
    EXPECT_EQ(store.add("n", 1).outcome, Outcome::not_found);
    set("n", "10");
    EXPECT_EQ(store.add("n", 5).value, 15u);
    EXPECT_EQ(store.subtract("n", 6).value, 9u);
    EXPECT_EQ(value_of("n"), "9");
    EXPECT_EQ(store.subtract("n", 100).value, 0u);
    set("n", "18446744073709551615");
    EXPECT_EQ(store.add("n", 2).value, 1u);
    for (const char* text : {"", "x", "1x", " 1", "-1", "18446744073709551616"}) {
        set("n", text);
        EXPECT_EQ(store.add("n", 1).outcome, Outcome::not_numeric) << text;
        EXPECT_EQ(value_of("n"), text);
    }
}

TEST_P(StoreOf, ItemsExpire) {
    constexpr std::int64_t month_s = 60 * 60 * 24 * 30;
    set("never", "1");
    set("already", "1", -1);
    set("soon", "1", 2);
    set("month", "1", month_s);
    set("date", "1", 1'700'000'000 + 5 + 3);  // Unix time: 3 s from now
    EXPECT_EQ(value_of("already"), "(none)");
    clock.now_ms += 1999;
    EXPECT_EQ(value_of("soon"), "1");
    clock.now_ms += 1;
    EXPECT_EQ(value_of("soon"), "(none)");
    EXPECT_EQ(value_of("date"), "1");
    clock.now_ms += 1000;
    EXPECT_EQ(value_of("date"), "(none)");
    EXPECT_EQ(store.items(), 2u);  // what was come upon has left
    EXPECT_EQ(store.touch("month", 1), Outcome::done);
    EXPECT_EQ(store.touch("soon", 1), Outcome::not_found);
    clock.now_ms += 1000;
    EXPECT_EQ(put(StoreMode::add, "month", "2"), Outcome::done);
    clock.now_ms += 1000 * month_s;
    EXPECT_EQ(value_of("never"), "1");
    for (const StoreMode mode : {StoreMode::replace, StoreMode::append, StoreMode::prepend}) {
        set("gone", "1", -1);
        EXPECT_EQ(put(mode, "gone", "1"), Outcome::not_stored);
    }
    set("gone", "1", -1);
    EXPECT_EQ(store.remove("gone"), Outcome::not_found);
}

TEST_P(StoreOf, FlushNowAndLater) {
    set("a", "1");
    store.flush();
    EXPECT_EQ(value_of("a"), "(none)");
    set("a", "2");
    EXPECT_EQ(value_of("a"), "2");
    store.flush(10);
    set("b", "1");
    clock.now_ms += 9999;
    EXPECT_EQ(value_of("a"), "2");
    store.touch("b", 100);  // must not save it
    clock.now_ms += 1;
    set("c", "1");
    EXPECT_EQ(value_of("a"), "(none)");
    EXPECT_EQ(value_of("b"), "(none)");
    EXPECT_EQ(value_of("c"), "1");
    store.flush(10);
    store.flush(1000);  // takes the first one's place
    clock.now_ms += 11'000;
    EXPECT_EQ(value_of("c"), "1");
}

// At whatever moment of a command that keeps something of the item a flush comes: the item does not survive it.
TEST_P(StoreOf, AFlushDuringACommandTakesTheItemAlong) {
    const std::pair<const char*, std::function<void()>> commands[] = {
        {"incr", [this] { store.add("n", 1); }},
        {"append", [this] { put(StoreMode::append, "n", "0"); }},
        {"replace", [this] { put(StoreMode::replace, "n", "2", 100); }},
        {"cas", [this] { store.store(StoreMode::cas, "n", {.value = "2", .cas = store.get("n")->cas}); }},
        {"touch", [this] { store.touch("n", 200); }},
    };
    clock.at_call = [this] { store.flush(); };
    for (const auto& [name, command] : commands) {
        int moments = 0;
        for (;; ++moments) {
            set("n", "1", 100);  // so that looking whether it lives asks the clock
            clock.until_call = moments + 1;
            command();
            if (std::exchange(clock.until_call, 0) > 0) break;
            EXPECT_EQ(value_of("n"), "(none)") << name << ", moment " << moments;
        }
        EXPECT_GE(moments, 1) << name;
    }
}

TEST_P(StoreOf, MemoryIsBounded) {
    const std::string mebibyte(max_value_bytes, 'v');
    EXPECT_EQ(set("a", mebibyte, 1), Outcome::done);
    EXPECT_EQ(set("b", mebibyte), Outcome::done);
    EXPECT_EQ(put(StoreMode::append, "b", "1"), Outcome::too_large);
    EXPECT_EQ(set("c", mebibyte), Outcome::done);
    set("d", "small");
    EXPECT_EQ(set("d", mebibyte), Outcome::no_memory);
    EXPECT_EQ(value_of("d"), "(none)");  // better than the old value
    EXPECT_EQ(put(StoreMode::replace, "c", mebibyte), Outcome::no_memory);
    EXPECT_EQ(value_of("c"), mebibyte);
    EXPECT_LE(store.bytes(), store.memory_limit_bytes());
    clock.now_ms += 2000;  // nobody comes upon "a" again, but it makes room
    EXPECT_EQ(set("e", mebibyte), Outcome::done);
    EXPECT_EQ(value_of("e"), mebibyte);
    EXPECT_EQ(store.items(), 3u);
}

TEST_P(StoreOf, NothingComesBetween) {
    constexpr int threads = 4, rounds = 2003;
    set("sum", "0");
    set("text", "");
    set("cas", "0");
    std::atomic<int> added = 0, swapped = 0;
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t)
        workers.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) {
                store.add("sum", 1);
                if (i % 16 == 0) put(StoreMode::append, "text", "x");
                added += put(StoreMode::add, "round" + std::to_string(i), "1") == Outcome::done;
                const std::uint64_t seen = store.get("cas")->cas;
                swapped += store.store(StoreMode::cas, "cas", {.value = "1", .cas = seen}) == Outcome::done;
                if (i % 3 == 0) store.touch("sum", 0);
            }
        });
    workers.clear();
    EXPECT_EQ(value_of("sum"), std::to_string(threads * rounds));
    EXPECT_EQ(value_of("text").size(), threads * ((rounds + 15) / 16));
    EXPECT_EQ(added, rounds);
    EXPECT_GE(swapped, rounds);
    EXPECT_LE(swapped, threads * rounds);
    EXPECT_EQ(store.items(), rounds + 3u);
}

// What is written after a flush has ended, and before the next begins, stays; whichever thread carried the flush out.
TEST_P(StoreOf, WritesBetweenFlushesStay) {
    std::atomic<int> begun = 0, ended = 0, between = 0, lost = 0;
    std::atomic<bool> done = false;
    std::vector<std::jthread> workers;
    for (int t = 0; t < 3; ++t)
        workers.emplace_back([&, key = "mine" + std::to_string(t)] {
            while (!done) {
                const int ended_before = ended, begun_before = begun;
                set(key, "1");
                const bool there = store.get(key) != nullptr;
                if (ended_before != begun_before || begun != begun_before) continue;  // one was under way
                ++between;
                lost += !there;
            }
        });
    for (int i = 0; i < 503 || between < 503; ++i) {
        ++begun;
        store.flush();
        ++ended;
        std::this_thread::yield();
    }
    done = true;
    workers.clear();
    EXPECT_EQ(lost, 0);
    store.flush();
    for (const char* key : {"mine0", "mine1", "mine2"}) EXPECT_EQ(value_of(key), "(none)");
}

TEST(Tables, UnknownKindIsNone) { EXPECT_EQ(make_table("no_such_map", "items"), nullptr); }

}  // namespace
}  // namespace kvd
