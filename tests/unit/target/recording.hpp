// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the maps share: an observer that remembers, hashes that collide, listening without a tracer.
#ifndef MAPAUDIT_TESTS_TARGET_RECORDING_HPP
#define MAPAUDIT_TESTS_TARGET_RECORDING_HPP

#include <mapaudit/probes.h>
#include <mapaudit/detail/go_cursor.hpp>
#include <mapaudit/detail/go_table.hpp>

#include <cstdint>
#include <functional>
#include <set>
#include <unordered_map>
#include <vector>

namespace mapaudit_test {

struct grow_event {
    std::uint64_t old_buckets, new_buckets, duration_ns;
    mapaudit_grow_reason reason;
};
struct evacuate_event {
    std::uint64_t done, total;
};

// An observer of a go_table with a clock of its own, a tick a reading.
struct recorder {
    std::uint64_t clock = 0;  // stays 0: nobody wants durations
    bool timing = false;
    std::vector<grow_event> grows;
    std::vector<evacuate_event> evacuations;

    std::uint64_t now() { return timing ? ++clock : 0; }
    void growing(bool) const {}
    void grew(std::uint64_t old_buckets, std::uint64_t new_buckets, std::uint64_t duration_ns,
              mapaudit_grow_reason reason) {
        grows.push_back({old_buckets, new_buckets, duration_ns, reason});
    }
    void evacuated(std::uint64_t done, std::uint64_t total) { evacuations.push_back({done, total}); }
};

// Everything in one chain.
struct one_hash {
    std::size_t operator()(std::uint64_t) const noexcept { return 42; }
};
// Four hashes in all.
struct four_hashes {
    std::size_t operator()(std::uint64_t key) const noexcept { return key % 4; }
};

template <class Hash = std::hash<std::uint64_t>, class V = std::uint64_t>
using table_of = mapaudit::detail::go_table<std::uint64_t, V, Hash, std::equal_to<std::uint64_t>>;

// A go_table with hashing and observer filled in.
template <class Table>
struct driven {
    using key_type = typename Table::key_type;
    using mapped_type = typename Table::mapped_type;

    Table table;
    recorder seen;

    bool assign(const key_type& key, mapped_type value) {
        return table.assign(key, std::move(value), table.hash_of(key), seen);
    }
    bool erase(const key_type& key) { return table.erase(key, table.hash_of(key), seen); }
    const mapped_type* find(const key_type& key) const { return table.find(key, table.hash_of(key)); }
};

#ifndef MAPAUDIT_NO_PROBES
// Raises a probe's semaphore as an attached tracer's kernel would. Nothing hangs on the probe: what can be seen is what
// the operation leaves in its thread's block.
class listening {
public:
    explicit listening(int semaphore) : semaphore_(mapaudit_semaphores[semaphore / 2]) {
        __atomic_add_fetch(&semaphore_, 1, __ATOMIC_SEQ_CST);
    }
    listening(const listening&) = delete;
    listening& operator=(const listening&) = delete;
    ~listening() { __atomic_sub_fetch(&semaphore_, 1, __ATOMIC_SEQ_CST); }

private:
    std::uint16_t& semaphore_;
};

// Records that the calling thread appended since `first`, of one map. At most a ring's worth.
inline std::vector<mapaudit_record> records_since(std::uint64_t first, std::uint32_t map) {
    std::vector<mapaudit_record> found;
    const mapaudit_thread_block* block = mapaudit::detail::tls_block;
    for (std::uint64_t s = first; block != nullptr && s < block->seq; ++s)
        if (const auto& record = block->records[s % MAPAUDIT_RING]; record.map == map) found.push_back(record);
    return found;
}
inline std::uint64_t records_so_far() {
    return mapaudit::detail::tls_block == nullptr ? 0 : mapaudit::detail::tls_block->seq;
}
#endif

}  // namespace mapaudit_test

#endif
