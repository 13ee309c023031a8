// SPDX-License-Identifier: Apache-2.0
//
// An allocator with a ledger, which cannot be made without one: what it gave, what it got back, when it is to refuse.
#ifndef MAPAUDIT_TESTS_TARGET_COUNTING_ALLOCATOR_HPP
#define MAPAUDIT_TESTS_TARGET_COUNTING_ALLOCATOR_HPP

#include "every_concurrent_map.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <string_view>

namespace mapaudit_test {

struct memory_ledger {
    std::atomic<std::uint64_t> allocations = 0;
    std::atomic<std::int64_t> bytes = 0, blocks = 0;  // given and not got back
    long allowed = -1;                                // allocations until one is refused; negative: none is
};

template <class T>
struct counting_allocator {
    using value_type = T;

    explicit counting_allocator(memory_ledger& l) noexcept : ledger(&l) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) noexcept : ledger(other.ledger) {}

    T* allocate(std::size_t count) {
        if (ledger->allowed >= 0 && ledger->allowed-- == 0) throw std::bad_alloc();
        const std::size_t alignment = alignof(T) < sizeof(void*) ? sizeof(void*) : alignof(T);
        void* memory = std::aligned_alloc(alignment, (count * sizeof(T) + alignment - 1) / alignment * alignment);
        if (memory == nullptr) throw std::bad_alloc();
        ++ledger->allocations;
        ++ledger->blocks;
        ledger->bytes += static_cast<std::int64_t>(count * sizeof(T));
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        --ledger->blocks;
        ledger->bytes -= static_cast<std::int64_t>(count * sizeof(T));
        std::free(memory);
    }
    template <class U>
    bool operator==(const counting_allocator<U>& other) const noexcept {
        return ledger == other.ledger;
    }

    memory_ledger* ledger;
};

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
using every_counted_map = every_map<K, V, Hash, Equal, counting_allocator<std::pair<const K, V>>>;

// A map of any kind, whose constructors take their allocator last.
template <class Map>
struct counted {
    memory_ledger& ledger;
    typename Map::allocator_type allocator{ledger};

    Map operator()(std::string_view name = "counted", std::size_t reserve = 0) const {
        constexpr std::string_view kind = Map::kind;
        if constexpr (kind == "go_map")
            return Map(name, reserve, mapaudit::conflict_policy::abort, allocator);
        else if constexpr (kind == "sharded_map" || kind == "cas_map")
            return Map(name, reserve, Map::default_shards, allocator);
        else if constexpr (kind == "cache_map")
            return Map(name, reserve, mapaudit::cache_limits{}, allocator);
        else if constexpr (kind == "operation_map")
            return Map(name, reserve, mapaudit::breaker_settings{}, allocator);
        else
            return Map(name, reserve, allocator);
    }
};

}  // namespace mapaudit_test

#endif
