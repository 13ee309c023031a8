// SPDX-License-Identifier: Apache-2.0
//
// The measured process of the estimates: several threads and several maps, where measured.cpp has one of each. Speaks
// the same way, so that the harness drives both alike.
//
//   loaded MAP LOAD        commands: measure MS → "ns_per_op ops", ns being CPU time of all its threads · armed → the
//                          semaphores · end of input ends it
//
// LOAD is words joined by '-': lookup or mixed (10 % assignments), then "4threads", "16maps" that all threads use in
// turn, or "private": a map for each thread.
#include <sched.h>

#include <atomic>
#include <barrier>
#include <cstdint>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/sharded_map.hpp>

#include "steps.hpp"

namespace {

using namespace mapaudit::bench;

struct Load {
    double assign_share = 0;
    unsigned threads = 1, maps = 1;
    bool own_map = false;  // each thread has one
};

bool parse(const std::string& text, Load& load) {
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, '-');) {
        if (word == "lookup") {
            load.assign_share = 0;
        } else if (word == "mixed") {
            load.assign_share = 0.1;
        } else if (word == "private") {
            load.own_map = true;
        } else {
            std::istringstream number(word);
            unsigned value = 0;
            std::string of;
            if (!(number >> value >> of) || value == 0) return false;
            if (of != "threads" && of != "maps") return false;
            (of == "threads" ? load.threads : load.maps) = value;
        }
    }
    if (load.own_map) load.maps = load.threads;
    return true;
}

// Each thread has its CPU, the last one first: a migration in a window would be measured as cost, and threads that
// share a map cost one another more the more of them run at once.
void pin(unsigned number, const cpu_set_t& allowed) {
    unsigned skip = number % static_cast<unsigned>(CPU_COUNT(&allowed));
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
        if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

// The same threads from the first window to the last: to make one costs, and an audited one more.
template <class Map>
class Workers {
public:
    explicit Workers(const Load& load) : load_(load), gate_(static_cast<std::ptrdiff_t>(load.threads) + 1) {
        sched_getaffinity(0, sizeof allowed_, &allowed_);
        for (unsigned i = 0; i < load.maps; ++i) {
            maps_.push_back(std::make_unique<Map>("bench"));
            for (std::uint64_t key = 0; key < keys; ++key) maps_.back()->assign(key, key);
        }
        for (unsigned t = 0; t < load.threads; ++t) threads_.emplace_back([this, t] { work(t); });
    }
    ~Workers() {
        ms_ = 0;
        gate_.arrive_and_wait();
    }

    void measure(std::uint64_t ms) {
        ms_ = ms;
        cpu_ns_ = ops_ = 0;
        gate_.arrive_and_wait();
        gate_.arrive_and_wait();
        std::cout << static_cast<double>(cpu_ns_) / static_cast<double>(ops_) << ' ' << ops_ << std::endl;
    }

private:
    void work(unsigned number) {
        pin(number, allowed_);
        const std::vector<Step> steps = make_steps(load_.assign_share, number);
        for (;;) {
            gate_.arrive_and_wait();
            if (ms_ == 0) return;
            window(steps, number);
            gate_.arrive_and_wait();
        }
    }

    void window(const std::vector<Step>& steps, unsigned number) {
        std::uint64_t ops = 0, now = 0;
        const std::uint64_t start = thread_cpu_ns(), end = start + ms_ * 1'000'000 / load_.threads;
        do {
            const Step* const from = steps.data() + ops % steps_count;
            for (const Step* step = from; step != from + chunk; ++step) operate(*step, number);
            ops += chunk;
            now = thread_cpu_ns();
        } while (now < end);
        cpu_ns_ += now - start;
        ops_ += ops;
    }

    [[gnu::always_inline]] void operate(Step step, unsigned thread) {
        const std::uint64_t key = step >> 1;
        Map& map = *maps_[load_.own_map ? thread : load_.maps == 1 ? 0 : key % load_.maps];
        if ((step & 1) != 0) {
            map.assign(key, key);
        } else if (const auto found = map.lookup(key)) {
            asm volatile("" : : "r"(*found));
        }
    }

    const Load load_;
    cpu_set_t allowed_{};
    std::barrier<> gate_;
    std::uint64_t ms_ = 0;
    std::atomic<std::uint64_t> cpu_ns_ = 0, ops_ = 0;
    std::vector<std::unique_ptr<Map>> maps_;
    std::vector<std::jthread> threads_;
};

template <class Map>
int serve(const Load& load) {
    Workers<Map> workers(load);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string command;
        std::uint64_t ms = 0;
        words >> command >> ms;
        if (command == "measure" && ms > 0) {
            workers.measure(ms);
        } else if (command == "armed") {
            print_semaphores();
        } else {
            std::cerr << "loaded: no such command: " << line << '\n';
            return 1;
        }
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string map = argc == 3 ? argv[1] : "";
    Load load;
    if (argc == 3 && parse(argv[2], load)) {
        if (map == "go_map" && load.threads == 1) return serve<mapaudit::go_map<std::uint64_t, std::uint64_t>>(load);
        if (map == "mutex_map") return serve<mapaudit::mutex_map<std::uint64_t, std::uint64_t>>(load);
        if (map == "sharded_map") return serve<mapaudit::sharded_map<std::uint64_t, std::uint64_t>>(load);
    }
    std::cerr << "usage: loaded go_map|mutex_map|sharded_map lookup|mixed[-Nthreads][-Nmaps][-private]\n";
    return 2;
}
