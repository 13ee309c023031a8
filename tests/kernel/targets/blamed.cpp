// SPDX-License-Identifier: Apache-2.0
//
// Something to blame, on a line of input each: "busy N" does N look-ups in map 1 while map 2 idles; "hold N MS" sleeps
// N times for MS ms with the lock of map 3 in hand, each time once another thread waits for it; "spin MS" computes
// outside of any map; "crowd MS" computes with the lock of map 3 in hand on a CPU that another thread wants as well;
// "move N" changes CPU N times within an operation on map 3. Answers "done".
#include <mapaudit/mutex_map.hpp>

#include <sched.h>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Map = mapaudit::mutex_map<long, long>;
using Ms = std::chrono::milliseconds;

void busy(Map& map, long operations) {
    long found = 0;
    for (long i = 0; i < operations; ++i) map.visit(i % 1009, [&](long value) { found += value; });
    asm volatile("" : : "r"(found));
}

void hold(Map& map, long times, Ms asleep) {
    std::atomic<mapaudit_thread_block*> others_block = nullptr;
    std::atomic<long> turn = 0;
    std::jthread other([&] {
        (void)map.lookup(0);  // from here on it has a block
        others_block = mapaudit::detail::tls_block;
        for (long i = 1; i <= times; ++i) {
            turn.wait(i - 1);
            (void)map.lookup(1);
        }
    });
    while (others_block == nullptr) std::this_thread::yield();
    for (long i = 1; i <= times; ++i)
        map.visit(1, [&](long) {
            turn = i;
            turn.notify_one();
            while ((__atomic_load_n(&others_block.load()->op, __ATOMIC_ACQUIRE) & MAPAUDIT_IN_WAIT) == 0)
                std::this_thread::yield();
            std::this_thread::sleep_for(asleep);
        });
}

void stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) std::abort();
}

std::vector<int> allowed_cpus() {
    cpu_set_t set;
    std::vector<int> cpus;
    if (::sched_getaffinity(0, sizeof set, &set) != 0) std::abort();
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    return cpus;
}

void spin(Ms time) {
    for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
    }
}

void crowd(Map& map, Ms time) {
    const int cpu = allowed_cpus().front();
    std::atomic<bool> over = false;
    std::jthread other([&] {
        stay_on(cpu);
        while (!over) {
        }
    });
    std::jthread([&] {
        stay_on(cpu);
        map.visit(1, [&](long) { spin(time); });
        over = true;
    }).join();
}

void move(Map& map, long times) {
    const auto cpus = allowed_cpus();
    std::jthread([&] {
        for (long i = 0; i < times; ++i) {
            stay_on(cpus[0]);
            map.visit(1, [&](long) { stay_on(cpus.at(1)); });
        }
    }).join();
}

}  // namespace

int main() {
    Map busy_map("busy"), idle_map("idle"), held_map("held");
    for (long i = 0; i < 1009; ++i) {
        busy_map.assign(i, i);
        idle_map.assign(i, i);
        held_map.assign(i, i);
    }
    std::cerr << "ready\n";
    std::string what;
    for (long n = 0, ms = 0; std::cin >> what;) {
        if (what == "busy" && std::cin >> n) busy(busy_map, n);
        if (what == "hold" && std::cin >> n >> ms) hold(held_map, n, Ms(ms));
        if (what == "spin" && std::cin >> ms) spin(Ms(ms));
        if (what == "crowd" && std::cin >> ms) crowd(held_map, Ms(ms));
        if (what == "move" && std::cin >> n) move(held_map, n);
        std::cout << "done" << std::endl;
    }
    return 0;
}
