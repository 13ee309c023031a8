// SPDX-License-Identifier: Apache-2.0
//
// The process that `make bench-scale` audits: threads that operate on maps, as fast as they can or at a rate, in
// windows asked for on stdin, so that one process is measured with an audit and without in turn. mapaudit-workload
// spins between the operations of a rate; here a thread sleeps between bursts and its CPU time is read at both ends of
// each, so that what an operation costs shows at any rate. cas_map neither locks nor allocates under this load: no
// wait of one thread for another is in the figures.
//
// `chained`: what an operation gave goes into the choice of the next, as in a program that uses what it looks up.
// `independent`: it does not, and the processor fetches the memory of several operations at a time, until an audit,
// whose clock waits for an operation's last fetch, ends that.
//
//   scale_load MAPS THREADS RATE KEYS chained|independent
//             RATE: operations a second over all threads; 0: unthrottled
//             KEYS: over all maps, rounded up to a power of two in each
//   commands: measure MS → "cpu_ns ops wall_ns" · end of input ends it
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <mapaudit/cas_map.hpp>

#include "distributions.hpp"

namespace {

using Map = mapaudit::cas_map<std::uint64_t, std::uint64_t>;

constexpr std::uint64_t assigns_of_1024 = 102;               // a tenth, as mapaudit-workload's default
constexpr std::uint64_t never_set = std::uint64_t{1} << 63;  // in no value
constexpr std::uint64_t chunk = 256;                         // operations between two looks at the end
constexpr double period_s = 0.02;                            // from burst to burst, where bursts are long enough
constexpr std::uint64_t shortest_burst = 32;                 // reading the CPU time twice is a few ns of each

std::uint64_t now_ns(clockid_t clock) {
    timespec now;
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

void sleep_until(std::uint64_t ns) {
    const timespec until{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

struct Done {
    std::uint64_t cpu_ns = 0, ops = 0;
};

class Workers {
public:
    Workers(std::uint64_t maps, unsigned threads, double rate, std::uint64_t keys, bool chained)
        : chained_(chained),
          keys_(std::bit_ceil(std::max<std::uint64_t>(1, keys / maps))),
          rate_(rate),
          done_(threads) {
        for (std::uint64_t i = 0; i < maps; ++i) {
            maps_.push_back(std::make_unique<Map>("scale-" + std::to_string(i), keys_, 1));
            for (std::uint64_t key = 0; key < keys_; ++key) maps_.back()->assign(key, key);
        }
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this, i] { serve(i); });
    }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers() {
        over_ = true;
        release();
    }

    Done measure(std::uint64_t ms) {
        stop_ = false;
        begin_ns_ = now_ns(CLOCK_MONOTONIC);
        end_ns_ = begin_ns_ + ms * 1'000'000;
        running_ = static_cast<unsigned>(threads_.size());
        release();
        sleep_until(end_ns_);
        stop_ = true;
        for (unsigned left = running_; left != 0; left = running_) running_.wait(left);
        Done sum;
        for (const Done& done : done_) {
            sum.cpu_ns += done.cpu_ns;
            sum.ops += done.ops;
        }
        return sum;
    }

private:
    void release() {
        ++window_;
        window_.notify_all();
    }

    void serve(unsigned index) {
        mapaudit::workload::Random random(1, index);
        for (unsigned seen = 0;;) {
            window_.wait(seen);
            seen = window_;
            if (over_) return;
            done_[index] = rate_ > 0 ? run_at_rate(random, index) : run_unthrottled(random);
            if (running_.fetch_sub(1) == 1) running_.notify_all();
        }
    }

    Done run_unthrottled(mapaudit::workload::Random& random) {
        Done done;
        const std::uint64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
        do {
            operate(random, chunk);
            done.ops += chunk;
        } while (!stop_.load(std::memory_order_relaxed));
        done.cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
        return done;
    }

    Done run_at_rate(mapaudit::workload::Random& random, unsigned index) {
        const double own_rate = rate_ / static_cast<double>(done_.size());
        const std::uint64_t burst = std::max(shortest_burst, static_cast<std::uint64_t>(own_rate * period_s));
        const double every_ns = 1e9 * static_cast<double>(burst) / own_rate;
        double due_ns = every_ns * index / static_cast<double>(done_.size());
        Done done;
        for (;; due_ns += every_ns) {
            const std::uint64_t due = begin_ns_ + static_cast<std::uint64_t>(due_ns);
            // Once at least, however late this thread gets to it: a window of nothing is a failure.
            if (done.ops != 0 && (due >= end_ns_ || stop_.load(std::memory_order_relaxed))) return done;
            sleep_until(due);
            const std::uint64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
            operate(random, burst);
            done.cpu_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
            done.ops += burst;
        }
    }

    void operate(mapaudit::workload::Random& random, std::uint64_t ops) {
        if (!chained_)
            operate_on(random, ops, [](std::uint64_t drawn, std::uint64_t) { return drawn; });
        else  // the same draws: no value has the bit, which the processor cannot know
            operate_on(random, ops, [](std::uint64_t drawn, std::uint64_t last) { return drawn ^ (last & never_set); });
    }

    template <class Choose>
    void operate_on(mapaudit::workload::Random& random, std::uint64_t ops, Choose choose) {
        std::uint64_t last = 0;
        for (std::uint64_t i = 0; i < ops; ++i) {
            // One number drawn is the map (high 32 bits), the key (bits 10 to 31) and the operation.
            const std::uint64_t drawn = choose(random.next(), last);
            Map& map = *maps_[((drawn >> 32) * maps_.size()) >> 32];
            const std::uint64_t key = (drawn >> 10) & (keys_ - 1);
            if ((drawn & 1023) < assigns_of_1024)
                last = map.assign(key, i) ? 1 : 0;
            else if (const auto found = map.lookup(key))
                last = *found;
        }
        asm volatile("" : : "r"(last));  // the results count as used
    }

    const bool chained_;
    const std::uint64_t keys_;  // a power of two
    const double rate_;
    std::vector<std::unique_ptr<Map>> maps_;
    std::vector<Done> done_;  // a thread's own until running_ has counted it out
    std::uint64_t begin_ns_ = 0, end_ns_ = 0;
    std::atomic<unsigned> window_{0}, running_{0};
    std::atomic<bool> stop_{false}, over_{false};
    std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace

int main(int argc, char** argv) {
    const auto argument = [&](int i) { return i < argc ? std::strtoull(argv[i], nullptr, 10) : 0; };
    const std::string chain = argc == 6 ? argv[5] : "";
    if ((chain != "chained" && chain != "independent") || argument(1) == 0 || argument(2) == 0) {
        std::cerr << "usage: scale_load MAPS THREADS RATE KEYS chained|independent\n";
        return 2;
    }
    Workers workers(argument(1), static_cast<unsigned>(argument(2)), static_cast<double>(argument(3)), argument(4),
                    chain == "chained");
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string command;
        std::uint64_t ms = 0;
        if (!(words >> command >> ms) || command != "measure" || ms == 0) {
            std::cerr << "scale_load: no such command: " << line << '\n';
            return 1;
        }
        const std::uint64_t start = now_ns(CLOCK_MONOTONIC);
        const Done done = workers.measure(ms);
        std::cout << done.cpu_ns << ' ' << done.ops << ' ' << now_ns(CLOCK_MONOTONIC) - start << std::endl;
    }
}
