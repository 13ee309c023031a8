// SPDX-License-Identifier: Apache-2.0
//
// A load that changes a hundredfold, up and down, as often as whoever audits it follows: in each phase it goes on until
// the level has changed. Prints how many operations it did; exits with 1 when the level stayed as it was.
#include <mapaudit/mutex_map.hpp>

#include <time.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

namespace {

constexpr int rounds = 3;
constexpr double limit_s = 30;
constexpr unsigned work_between_when_slow = 60'000, work_between_when_fast = 600;

double now_s() {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Operates on `map` until level full is, or is no longer, attached.
bool run_phase(mapaudit::mutex_map<long, long>& map, bool until_full, unsigned work, std::atomic<long>& operations) {
    const double end = now_s() + limit_s;
    long done = 0, after = 0;
    while (after < 20'000) {
        for (unsigned i = 0; i < work; ++i) asm volatile("");
        map.assign(done % 1000, done);
        ++done;
        // Some more at the new level, so that it is seen.
        if (mapaudit::timing_every_operation() == until_full) after += until_full ? 20 : 1;
        if (done % 100 == 0 && now_s() > end) break;
    }
    operations += done;
    return after >= 20'000;
}

}  // namespace

int main() {
    std::fprintf(stderr, "ready\n");
    while (!mapaudit::timing_every_operation()) {
        timespec wait{0, 1'000'000};
        ::nanosleep(&wait, nullptr);
    }
    std::atomic<long> operations = 0;
    std::atomic<bool> followed = true;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 2; ++t)
            threads.emplace_back([&] {
                mapaudit::mutex_map<long, long> map("bursts");
                for (int round = 0; round < rounds; ++round) {
                    if (!run_phase(map, false, work_between_when_fast, operations)) followed = false;
                    if (!run_phase(map, true, work_between_when_slow, operations)) followed = false;
                }
            });
    }
    std::printf("%ld\n", operations.load());
    return followed ? 0 : 1;
}
