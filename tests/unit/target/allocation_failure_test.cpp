// SPDX-License-Identifier: Apache-2.0
//
// Memory that runs out at each allocation of a write in turn. A write that throws has changed nothing; one that goes
// without its growth has still written. This file replaces operator new for the whole binary: it refuses
// when a test of this thread says so. (Not inlined: GCC would find free() beside new.)
#include "every_concurrent_map.hpp"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <unordered_map>

namespace {

// Allocations of this thread until one is refused; negative: none is.
thread_local long allowed = -1;

bool refused() noexcept { return allowed >= 0 && allowed-- == 0; }

void* allocate(std::size_t size, std::size_t alignment) {
    if (refused()) throw std::bad_alloc();
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

template <class Map>
class WithoutMemory : public testing::Test {};
using Kinds = mapaudit_test::every_concurrent_map<std::string, u64>;
TYPED_TEST_SUITE(WithoutMemory, Kinds);

// Keys on the heap, so that copying one is an allocation as well.
std::string key_of(u64 number) { return "a key that lives on the heap, number " + std::to_string(number); }

TYPED_TEST(WithoutMemory, AWriteThatThrowsChangesNothing) {
    TypeParam map;
    std::unordered_map<std::string, u64> model;
    u64 thrown = 0;
    for (u64 i = 0; i < 700; ++i) {
        const std::string key = key_of(i % 5 == 4 ? i / 2 : i);
        for (long budget = 0;; ++budget) {
            bool fresh = false;
            try {
                allowed = budget;
                fresh = map.assign(key, i);
                allowed = -1;
            } catch (const std::bad_alloc&) {
                allowed = -1;
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
    EXPECT_GT(thrown, 300u) << "the allocations were not refused";
    // Maps whose growth is put off have had no memory to spare for one until now.
    for (u64 i = 1'000; i < 2'000; ++i) map.assign(key_of(i), i), model.emplace(key_of(i), i);
    EXPECT_GT(map.grows(), 0u);
    ASSERT_EQ(map.size(), model.size());
    for (const auto& [key, value] : model) ASSERT_EQ(map.lookup(key), value);
    u64 visited = 0;
    map.for_each([&](const std::string& key, const u64& value) { visited += model.at(key) == value ? 1 : 0; });
    EXPECT_EQ(visited, model.size());
}

}  // namespace
