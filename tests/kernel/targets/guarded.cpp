// SPDX-License-Identifier: Apache-2.0
//
// guarded OPS: four threads share a go_map, a mutex round it: OPS operations in all, never two at once. Waits for an
// auditor first.
#include <mapaudit/go_map.hpp>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "await_auditor.hpp"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    constexpr int threads = 4;
    const long each = std::atol(argv[1]) / threads;
    mapaudit::go_map<long, long> map("guarded", 0, mapaudit::conflict_policy::report);
    std::mutex mutex;
    map.assign(0, 0);
    mapaudit::test::await_auditor();
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t)
        workers.emplace_back([&, t] {
            for (long i = 0; i < each; ++i) {
                const std::lock_guard guard(mutex);
                const long key = (i * threads + t) % 5003;
                switch (i % 8) {
                    case 0: map.assign(key, i); break;
                    case 1: map.erase(key); break;
                    default: map.visit(key, [](const long&) {});
                }
            }
        });
    workers.clear();
    std::printf("%ld\n", each * threads);
    return 0;
}
