// SPDX-License-Identifier: Apache-2.0
//
// Load in portions: for a number on a line of stdin, each of three threads does as many operations on the map
// "portions"; when all of them are still again, the operations done since the start stand on a line of stdout. A thread
// more is busy on the map "background" all the while. Ends when its stdin does.
#include <mapaudit/mutex_map.hpp>

#include <atomic>
#include <barrier>
#include <iostream>
#include <thread>
#include <vector>

int main() {
    constexpr int threads = 3;
    mapaudit::mutex_map<long, long> portions("portions"), background("background");
    std::barrier<> turn(threads + 1);
    std::atomic<long> done = 0;
    std::atomic<bool> over = false;
    long portion = 0;  // changes while all threads wait at the barrier
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&] {
            for (;;) {
                turn.arrive_and_wait();
                if (over) return;
                for (long i = 0; i < portion; ++i) switch (i % 3) {
                        case 0: portions.assign(i % 100, i); break;
                        case 1: static_cast<void>(portions.lookup(i % 100)); break;
                        default: portions.erase(i % 100);
                    }
                done += portion;
                turn.arrive_and_wait();
            }
        });
    all.emplace_back([&] {
        for (long i = 0; !over; ++i) background.assign(i % 1000, i);
    });
    std::cout << "ready" << std::endl;
    while (std::cin >> portion) {
        turn.arrive_and_wait();
        turn.arrive_and_wait();
        std::cout << done << std::endl;
    }
    over = true;
    turn.arrive_and_wait();
    return 0;
}
