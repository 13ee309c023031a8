// SPDX-License-Identifier: Apache-2.0
//
// The registry: which maps there are and which thread has which block, laid out for a reader outside the process
// (probe_abi.h gives the layout; batch.hpp says how a block is used). Nothing here is on an operation's path; every
// change takes one mutex.
#ifndef MAPAUDIT_DETAIL_REGISTRY_HPP
#define MAPAUDIT_DETAIL_REGISTRY_HPP

#include <pthread.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

#include <mapaudit/probe_abi.h>
#include <mapaudit/detail/batch.hpp>
#include <mapaudit/detail/platform.hpp>
#include <mapaudit/detail/thunks.hpp>
#include <mapaudit/detail/ticks.hpp>

namespace mapaudit::detail {

inline constinit std::mutex registry_mutex;
// The calling thread's block; null before its first audited operation. Initial-exec: one load, no call.
__attribute__((tls_model("initial-exec"))) inline constinit thread_local mapaudit_thread_block* tls_block = nullptr;
inline constinit pthread_key_t thread_end_key = 0;
inline constinit bool thread_end_key_made = false;

// Entry `index` of a chunked array; maps its chunk in when it is the first of it. Null when memory is refused.
// mmap and not malloc: a map may be in use inside an allocator.
template <class Entry>
inline Entry* chunk_entry(__u64 (&chunks)[MAPAUDIT_CHUNKS], std::uint32_t index, std::uint32_t first) noexcept {
    const std::uint32_t chunk = mapaudit_chunk_of(index, first);
    if (chunk >= MAPAUDIT_CHUNKS) return nullptr;
    if (chunks[chunk] == 0) {
        const std::size_t bytes = sizeof(Entry) * mapaudit_chunk_size(chunk, first);
        void* memory =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return nullptr;
        __atomic_store_n(&chunks[chunk], address(memory), __ATOMIC_RELEASE);
    }
    return pointer_to<Entry>(chunks[chunk]) + (index - mapaudit_chunk_start(chunk, first));
}

// The CPU that the owner of `block`, the calling thread, is on.
[[gnu::always_inline]] inline std::uint32_t current_cpu(const mapaudit_thread_block& block) noexcept {
    const auto* number = pointer_to<const volatile std::uint32_t>(block.cpu_address);
    if (number != nullptr) [[likely]]
        return *number;
    return ask_for_cpu();
}

inline void release_block(void* memory) noexcept {
    auto& block = *static_cast<mapaudit_thread_block*>(memory);
    flush_all(block, ticks());
    tls_block = nullptr;
    const std::lock_guard lock(registry_mutex);
    block.tid = 0;
    block.op_map = 0;
    block.next_free = mapaudit_process_registry.free_block;
    mapaudit_process_registry.free_block = address(&block);
}

// At exit no other thread can be made to flush, so their records are handed over for them, while they go on.
inline void flush_every_thread() noexcept {
    if (tls_block != nullptr) flush_all(*tls_block, ticks());
    auto& r = mapaudit_process_registry;
    const std::lock_guard lock(registry_mutex);
    // In a library this runs at its dlclose: a thread that ends later must not find code there that is gone.
    if (std::exchange(thread_end_key_made, false)) ::pthread_key_delete(thread_end_key);
    for (std::uint32_t i = 0; i < r.blocks; ++i) {
        auto* block = chunk_entry<mapaudit_thread_block>(r.block_chunks, i, MAPAUDIT_BLOCK_CHUNK);
        if (block != nullptr && block != tls_block && block->tid != 0) flush_for_owner(*block);
    }
}

// A forked child has one thread, and none of its parent's operations.
inline void after_fork_in_child() noexcept {
    ::new (&registry_mutex) std::mutex;
#if defined(__x86_64__)
    for (const std::uint16_t& semaphore : mapaudit_semaphores) forked_under_a_tracer |= semaphore != 0;
#endif
    auto& r = mapaudit_process_registry;
    for (std::uint32_t i = 0; i < r.blocks; ++i) {
        auto* block = chunk_entry<mapaudit_thread_block>(r.block_chunks, i, MAPAUDIT_BLOCK_CHUNK);
        if (block == nullptr) continue;
        drop_batch(*block);
        if (block == tls_block) {
            block->tid = current_tid();
        } else if (block->tid != 0) {
            block->tid = 0;
            block->op_map = 0;
            block->next_free = r.free_block;
            r.free_block = address(block);
        }
    }
}

// Call with the mutex held.
inline void ensure_registry() noexcept {
    auto& r = mapaudit_process_registry;
    if (r.magic != 0) return;
    clock_is_counter = counter_is_invariant();
    r.version = MAPAUDIT_ABI_VERSION;
    r.clock = clock_is_counter ? MAPAUDIT_CLOCK_TICKS : MAPAUDIT_CLOCK_MONOTONIC;
    r.record_size = sizeof(mapaudit_record);
    r.block_size = sizeof(mapaudit_thread_block);
    r.desc_size = sizeof(mapaudit_map_desc);
    r.start_ns = monotonic_ns();
    r.start_ticks = ticks();
    thread_end_key_made = ::pthread_key_create(&thread_end_key, release_block) == 0;
    ::pthread_atfork(nullptr, nullptr, after_fork_in_child);
    std::atexit(flush_every_thread);
    __atomic_store_n(&r.magic, MAPAUDIT_REGISTRY_MAGIC, __ATOMIC_RELEASE);
}

// The calling thread's block, made on its first audited operation. Null only when memory is refused.
[[gnu::noinline]] inline mapaudit_thread_block* acquire_block() noexcept {
    const std::lock_guard lock(registry_mutex);
    ensure_registry();
    auto& r = mapaudit_process_registry;
    mapaudit_thread_block* block = pointer_to<mapaudit_thread_block>(r.free_block);
    if (block != nullptr) {
        r.free_block = block->next_free;
    } else {
        block = chunk_entry<mapaudit_thread_block>(r.block_chunks, r.blocks, MAPAUDIT_BLOCK_CHUNK);
        if (block == nullptr) return nullptr;
        block->index = r.blocks;
        __atomic_store_n(&r.blocks, r.blocks + 1, __ATOMIC_RELEASE);
    }
    calibrate_batch_age();
    block->cpu_address = address(cpu_number_address());
    start_batch(*block, current_cpu(*block));
    block->tid = current_tid();
    if (thread_end_key_made) ::pthread_setspecific(thread_end_key, block);
    tls_block = block;
    return block;
}

// Gives a map its id and its place in the registry. Null when memory is refused: the map works, unaudited.
inline mapaudit_map_desc* register_map(const mapaudit_map_desc& description) noexcept {
    const std::lock_guard lock(registry_mutex);
    ensure_registry();
    auto& r = mapaudit_process_registry;
    mapaudit_map_desc* desc = nullptr;
    if (r.free_desc != 0) {
        desc = chunk_entry<mapaudit_map_desc>(r.desc_chunks, static_cast<std::uint32_t>(r.free_desc - 1),
                                              MAPAUDIT_DESC_CHUNK);
        r.free_desc = desc->next_free;
    } else {
        desc = chunk_entry<mapaudit_map_desc>(r.desc_chunks, r.descs, MAPAUDIT_DESC_CHUNK);
        if (desc == nullptr) {
            ++r.unregistered;
            return nullptr;
        }
        desc->index = r.descs;
        __atomic_store_n(&r.descs, r.descs + 1, __ATOMIC_RELEASE);
    }
    const std::uint32_t index = desc->index;
    *desc = description;
    desc->index = index;
    __atomic_store_n(&desc->id, ++r.last_map_id, __ATOMIC_RELEASE);
    ++r.maps_live;
    return desc;
}

inline void unregister_map(mapaudit_map_desc& desc) noexcept {
    const std::lock_guard lock(registry_mutex);
    auto& r = mapaudit_process_registry;
    __atomic_store_n(&desc.id, 0u, __ATOMIC_RELEASE);
    desc.next_free = r.free_desc;
    r.free_desc = desc.index + 1;
    --r.maps_live;
}

// Copies `text` into a fixed field, cut to fit, always terminated.
template <std::size_t N>
inline void copy_text(char (&field)[N], std::string_view text) noexcept {
    const std::size_t length = text.size() < N ? text.size() : N - 1;
    if (length != 0) std::memcpy(field, text.data(), length);  // of no text, data() may be null
    field[length] = '\0';
}

}  // namespace mapaudit::detail

#endif
