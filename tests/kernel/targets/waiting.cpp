// SPDX-License-Identifier: Apache-2.0
//
// waiting KIND ROUNDS HOLD_MS: in each round one thread holds a lock for HOLD_MS in hold_it_long() while another waits
// for it in wait_for_it(). KIND: mutex (an audited_lock), map (a mutex_map), iteration (its for_each), readers (an
// audited_lock held shared). Waits for an auditor, then prints the ns that the waits took by its own clock, and both
// thread ids.
#include <mapaudit/audited_lock.hpp>
#include <mapaudit/detail/thread_id.hpp>
#include <mapaudit/mutex_map.hpp>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include "await_auditor.hpp"

namespace {

using namespace mapaudit;

audited_lock<std::shared_mutex> lock("guarded");
mutex_map<int, int> map("held");
std::atomic<int> held_round = 0, done_round = 0;
std::string kind;
long hold_us = 5000;

void hold(int round) {
    held_round = round;
    ::usleep(static_cast<unsigned>(hold_us));
}

}  // namespace

// External linkage, and never inlined: found by name in every build of this program.
[[gnu::noinline]] void hold_it_long(int round) {
    if (kind == "map") {
        map.visit(1, [&](const int&) { hold(round); });
    } else if (kind == "iteration") {
        map.for_each([&](const int&, const int&) { hold(round); });
    } else if (kind == "readers") {
        lock.lock_shared();
        hold(round);
        lock.unlock_shared();
    } else {
        lock.lock();
        hold(round);
        lock.unlock();
    }
    asm volatile("");  // not a tail call
}

[[gnu::noinline]] void wait_for_it() {
    if (kind == "map" || kind == "iteration") {
        map.assign(2, 2);
    } else {
        lock.lock();
        lock.unlock();
    }
    asm volatile("");
}

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    kind = argv[1];
    const int rounds = std::atoi(argv[2]);
    hold_us = 1000 * std::atol(argv[3]);
    map.assign(1, 1);
    mapaudit::test::await_auditor();
    std::uint32_t holder_id = 0;
    std::thread holder([&] {
        holder_id = detail::this_thread_id();
        for (int round = 1; round <= rounds; ++round) {
            hold_it_long(round);
            while (done_round < round) ::usleep(100);
        }
    });
    std::chrono::nanoseconds waited{};
    for (int round = 1; round <= rounds; ++round) {
        while (held_round < round) ::usleep(100);
        const auto start = std::chrono::steady_clock::now();
        wait_for_it();
        waited += std::chrono::steady_clock::now() - start;
        done_round = round;
    }
    holder.join();
    std::printf("%lld %u %u\n", static_cast<long long>(waited.count()), holder_id, detail::this_thread_id());
    return 0;
}
