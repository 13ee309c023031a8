// SPDX-License-Identifier: Apache-2.0
//
// A process that lies: names with terminal escapes, a registry full of wild pointers and impossible counts, batches
// that no library would fire. Says "ready", waits for an auditor, lies, and exits 0 when told to end.
#include <mapaudit/mutex_map.hpp>

#include <unistd.h>
#include <csignal>
#include <cstdio>

namespace {

volatile std::sig_atomic_t told_to_end = 0;

void lie_in_probes() {
    const auto registry = mapaudit::detail::address(&mapaudit_process_registry);
    mapaudit_record records[MAPAUDIT_BATCH] = {};
    for (auto& record : records) record = {1, 100, 0, 0xffff, 0, 0};  // no such bucket
    mapaudit_probe_batch(mapaudit::detail::address(records), MAPAUDIT_BATCH, 0, 9999999, 0, registry);
    for (auto& record : records) record = {1, 100, 0, 40, 200, 0};  // no such operation
    mapaudit_probe_batch(mapaudit::detail::address(records), MAPAUDIT_BATCH, 1000, 9999999, 0, registry);
    mapaudit_probe_batch(0xdead0000, MAPAUDIT_BATCH, 2000, 9999999, 0, registry);                  // no such memory
    mapaudit_probe_batch(mapaudit::detail::address(records), ~0ull, 3000, 9999999, 0, registry);   // no such length
    mapaudit_probe_batch(mapaudit::detail::address(records), 1, 4000, 9999999, 123456, registry);  // no such CPU
    mapaudit_probe_batch(mapaudit::detail::address(records), 1, 5000, 9999999, 0, 0x1234);         // no such registry
    mapaudit_probe_grow(77, ~0ull, 0, ~0ull, 99, ~0ull);
    mapaudit_probe_create(78, 0xdead0000, registry);
}

void lie_in_the_registry() {
    auto& registry = mapaudit_process_registry;
    auto* desc = mapaudit::detail::chunk_entry<mapaudit_map_desc>(registry.desc_chunks, 0, MAPAUDIT_DESC_CHUNK);
    desc->parts = ~0u;
    desc->stride = 0x1234567;
    desc->size = {0xdead0000, 8, 0, 0};
    desc->buckets.width = 99;
    registry.descs = ~0u;
    registry.blocks = ~0u;
    for (int i = 3; i < MAPAUDIT_CHUNKS; ++i)
        registry.desc_chunks[i] = registry.block_chunks[i] = 0xdead0000 + static_cast<__u64>(i);
}

}  // namespace

int main() {
    std::signal(SIGTERM, [](int) { told_to_end = 1; });
    mapaudit::mutex_map<long, long> map("evil\033]0;owned\007\033[2J,\"name\"\n\x9b");
    map.assign(1, 1);
    std::fprintf(stderr, "ready\n");
    while (!told_to_end && !mapaudit::timing_every_operation()) ::usleep(1000);
    for (long i = 0; i < 100'003; ++i) map.assign(i % 100, i);
    mapaudit::detail::flush_all(*mapaudit::detail::tls_block, mapaudit::detail::ticks());
    lie_in_probes();
    lie_in_the_registry();
    std::fprintf(stderr, "lied\n");
    while (!told_to_end) ::usleep(1000);
    ::_exit(0);
}
