// SPDX-License-Identifier: Apache-2.0
//
// Memory that runs out at each allocation of a write in turn. A write that throws has changed nothing; one that goes
// without its growth has still written. This file replaces operator new for the whole binary: it refuses
// when a test of this thread says so. (Not inlined: GCC would find free() beside new.) Maps with an allocator of their
// own are refused by that one, and take nothing from operator new.
#include "counting_allocator.hpp"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <unordered_map>

namespace {

// Allocations of this thread until one is refused; negative: none is.
thread_local long allowed = -1;
thread_local std::uint64_t allocations = 0;

bool refused() noexcept { return allowed >= 0 && allowed-- == 0; }

void* allocate(std::size_t size, std::size_t alignment) {
    if (refused()) throw std::bad_alloc();
    ++allocations;
    void* memory = alignment <= alignof(std::max_align_t)
                       ? std::malloc(size != 0 ? size : 1)
                       : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) { return allocate(size, 1); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return allocate(size, 1); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t a) {
    return allocate(size, static_cast<std::size_t>(a));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t a) {
    return allocate(size, static_cast<std::size_t>(a));
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

using u64 = std::uint64_t;

// Keys on the heap, so that copying one is an allocation as well.
std::string key_of(u64 number) { return "a key that lives on the heap, number " + std::to_string(number); }

template <class Map>
void expect_agreement(const Map& map, const std::unordered_map<std::string, u64>& model) {
    ASSERT_EQ(map.size(), model.size());
    for (const auto& [key, value] : model) ASSERT_EQ(map.lookup(key), value);
    u64 visited = 0;
    map.for_each([&](const std::string& key, const u64& value) { visited += model.at(key) == value ? 1 : 0; });
    EXPECT_EQ(visited, model.size());
}

// A map that allocates an element at a time is refused at each write, others only when they grow.
template <class Map>
constexpr u64 refusals_at_least() {
    return std::is_same_v<typename Map::allocator_type, std::allocator<std::pair<const std::string, u64>>> ? 300 : 5;
}

// Upserts keys that are there and keys that are not; one in four of the latter was erased before.
template <class Map>
void expect_strong_upserts(Map& map, std::unordered_map<std::string, u64>& model, long& allowance) {
    u64 thrown = 0;
    for (u64 i = 1'900; i < 2'300; ++i) {
        const std::string key = key_of(i);
        if (i % 4 == 0) map.erase(key), model.erase(key);
        for (long budget = 0;; ++budget) {
            const auto known = model.find(key);
            try {
                allowance = budget;
                const bool fresh = map.upsert(key, i, [](u64& number) { number += 7; });
                allowance = -1;
                ASSERT_EQ(fresh, known == model.end());
                (fresh ? model.emplace(key, i).first : known)->second += 7;
                break;
            } catch (const std::bad_alloc&) {
                allowance = -1;
                ++thrown;
                ASSERT_EQ(map.lookup(key), known == model.end() ? std::nullopt : std::optional<u64>(known->second));
                ASSERT_EQ(map.size(), model.size());
            }
        }
    }
    EXPECT_GT(thrown, 0u) << "the allocations were not refused";
    expect_agreement(map, model);
}

// Each of 700 writes with memory for 0, 1, 2, … allocations, as set in `allowance`, until it is done.
template <class Map>
void expect_strong_writes(Map& map, long& allowance) {
    std::unordered_map<std::string, u64> model;
    u64 thrown = 0;
    for (u64 i = 0; i < 700; ++i) {
        const std::string key = key_of(i % 5 == 4 ? i / 2 : i);
        for (long budget = 0;; ++budget) {
            bool fresh = false;
            try {
                allowance = budget;
                fresh = map.assign(key, i);
                allowance = -1;
            } catch (const std::bad_alloc&) {
                allowance = -1;
                ++thrown;
                const auto known = model.find(key);
                ASSERT_EQ(map.lookup(key), known == model.end() ? std::nullopt : std::optional<u64>(known->second));
                ASSERT_EQ(map.size(), model.size());
                continue;
            }
            ASSERT_EQ(fresh, model.insert_or_assign(key, i).second) << i;
            break;
        }
    }
    EXPECT_GT(thrown, refusals_at_least<Map>()) << "the allocations were not refused";
    // Maps whose growth is put off have had no memory to spare for one until now.
    for (u64 i = 1'000; i < 2'000; ++i) map.assign(key_of(i), i), model.emplace(key_of(i), i);
    EXPECT_GT(map.grows(), 0u);
    expect_agreement(map, model);
    // An update needs memory for its copy, or none; either way it is done once, or not at all.
    for (auto& [key, value] : model)
        for (long budget = 0;; ++budget) {
            try {
                allowance = budget;
                const bool there = map.update(key, [](u64& number) { ++number; });
                allowance = -1;
                ASSERT_TRUE(there);
                ++value;
                break;
            } catch (const std::bad_alloc&) {
                allowance = -1;
                ASSERT_EQ(map.lookup(key), value);
            }
        }
    expect_agreement(map, model);
    expect_strong_upserts(map, model, allowance);
}

template <class Map>
class WithoutMemory : public testing::Test {};
using Kinds = mapaudit_test::every_concurrent_map<std::string, u64>;
TYPED_TEST_SUITE(WithoutMemory, Kinds);

TYPED_TEST(WithoutMemory, AWriteThatThrowsChangesNothing) {
    TypeParam map;
    expect_strong_writes(map, allowed);
}

template <class Map>
class WithoutMemoryOfItsAllocator : public testing::Test {};
using Counted = mapaudit_test::every_counted_map<std::string, u64>;
TYPED_TEST_SUITE(WithoutMemoryOfItsAllocator, Counted);

TYPED_TEST(WithoutMemoryOfItsAllocator, AWriteThatThrowsChangesNothing) {
    mapaudit_test::memory_ledger ledger;
    {
        TypeParam map = mapaudit_test::counted<TypeParam>{ledger}();
        expect_strong_writes(map, ledger.allowed);
    }
    EXPECT_EQ(ledger.blocks, 0);
    EXPECT_EQ(ledger.bytes, 0);
}

TYPED_TEST(WithoutMemoryOfItsAllocator, AMapThatCannotBeMadeLeavesNothing) {
    mapaudit_test::memory_ledger ledger;
    const mapaudit_test::counted<TypeParam> made{ledger};
    u64 thrown = 0;
    for (long budget = 0;; ++budget) {
        ledger.allowed = budget;
        try {
            const TypeParam map = made("a name that is too long for the small string buffer", 1'000);
            break;
        } catch (const std::bad_alloc&) {
            ++thrown;
            ASSERT_EQ(ledger.blocks, 0) << "after " << budget << " allocations";
        }
    }
    EXPECT_GT(thrown, 1u);
    EXPECT_EQ(ledger.blocks, 0);
}

// Keys and values that allocate nothing: all that is left is the map's own.
template <class Map>
class OwnMemory : public testing::Test {};
using Plain = mapaudit_test::every_counted_map<u64, u64>;
TYPED_TEST_SUITE(OwnMemory, Plain);

TYPED_TEST(OwnMemory, IsAllFromTheAllocatorAndGoesBack) {
    constexpr u64 elements = 20'000;
    mapaudit_test::memory_ledger ledger;
    { TypeParam registered = mapaudit_test::counted<TypeParam>{ledger}(); }  // the process's own, at the first map
    const u64 before = allocations;
    {
        TypeParam map = mapaudit_test::counted<TypeParam>{ledger}("a name that is too long for the small buffer");
        EXPECT_EQ(map.get_allocator().ledger, &ledger);
        for (u64 i = 0; i < elements; ++i) map.assign(i, i);
        EXPECT_GE(ledger.bytes, static_cast<std::int64_t>(elements * 2 * sizeof(u64)));
        for (u64 i = 0; i < elements; ++i) map.assign(i, i + 1);
        for (u64 i = 0; i < elements; i += 2) map.erase(i);
        u64 sum = 0;
        map.for_each([&sum](const u64&, const u64& value) { sum += value; });
        EXPECT_EQ(sum, elements / 2 * (elements / 2 + 1));
        const std::int64_t full = ledger.bytes;
        if constexpr (requires { map.reclaim(); }) {
            map.reclaim();
            EXPECT_LT(ledger.bytes, full) << "what was overwritten and erased goes back";
        }
        map.clear();
        EXPECT_LE(ledger.bytes, full);
        map.assign(1, 1);
    }
    // operation_map's condition variable brings a mutex of its own from the standard library.
    const u64 elsewhere = TypeParam::kind == "operation_map" ? 1 : 0;
    EXPECT_EQ(allocations, before + elsewhere) << "something took memory from operator new";
    EXPECT_EQ(ledger.blocks, 0);
    EXPECT_EQ(ledger.bytes, 0);
}

}  // namespace
