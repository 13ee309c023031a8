// SPDX-License-Identifier: Apache-2.0
//
// The measured process: one thread, one map, an endless loop of operations in windows asked for on stdin. One process
// is measured unattached, attached and detached in turn, so that variants differ in nothing else. Built twice: with
// probes and without.
//
//   measured MAP MIX        commands: measure MS → "ns_per_op ops" · armed → the semaphores · clock → ns · end of input
//   ends measured MAP MIX OPS     runs that many operations and exits (for callgrind)
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>

#include "latency.hpp"
#include "peers/operation_trace.hpp"
#include "steps.hpp"

namespace {

using namespace mapaudit::bench;

using GoMap = mapaudit::go_map<std::uint64_t, std::uint64_t>;
using MutexMap = mapaudit::mutex_map<std::uint64_t, std::uint64_t>;

// As a caller would: asked whether it is there, then used.
template <class Map>
[[gnu::always_inline]] inline std::uint64_t look_up(Map& map, std::uint64_t key) {
    const OperationTrace trace(map.id(), MAPAUDIT_OP_LOOKUP);
    const auto found = map.lookup(key);
    return found ? *found : 0;
}

template <class Map>
[[gnu::always_inline]] inline void assign(Map& map, std::uint64_t key) {
    const OperationTrace trace(map.id(), MAPAUDIT_OP_ASSIGN);
    map.assign(key, key);
}

}  // namespace

// One function an operation, with a name that tracers of functions can find.
extern "C" {
[[gnu::noinline]] std::uint64_t bench_lookup_go_map(GoMap& map, std::uint64_t key) { return look_up(map, key); }
[[gnu::noinline]] void bench_assign_go_map(GoMap& map, std::uint64_t key) { assign(map, key); }
[[gnu::noinline]] std::uint64_t bench_lookup_mutex_map(MutexMap& map, std::uint64_t key) { return look_up(map, key); }
[[gnu::noinline]] void bench_assign_mutex_map(MutexMap& map, std::uint64_t key) { assign(map, key); }
}

namespace {

double clock_pair_ns() {
    constexpr int pairs = 10'000'000;
    std::uint64_t sum = 0;
    const std::uint64_t start = thread_cpu_ns();
    for (int i = 0; i < pairs; ++i) {
        const std::uint64_t first = mapaudit::workload::ticks();
        sum += mapaudit::workload::ticks() - first;
    }
    const std::uint64_t end = thread_cpu_ns();
    asm volatile("" : : "r"(sum));
    return static_cast<double>(end - start) / pairs;
}

enum class Mix { lookup, mixed, chained };

template <class Map>
using Lookup = std::uint64_t (*)(Map&, std::uint64_t);
template <class Map>
using Assign = void (*)(Map&, std::uint64_t);

template <class Map, Lookup<Map> look, Assign<Map> put>
class Loop {
public:
    explicit Loop(Mix mix)
        : map_("bench"), chained_(mix == Mix::chained), steps_(make_steps(mix == Mix::mixed ? 0.1 : 0)) {
        // Chained, a key's value is another key: one round through all of them, in an order that no cache foresees.
        std::vector<std::uint64_t> order(keys);
        std::iota(order.begin(), order.end(), 0);
        if (chained_) std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
        for (std::uint64_t i = 0; i < keys; ++i) map_.assign(order[i], chained_ ? order[(i + 1) % keys] : order[i]);
    }

    void run(std::uint64_t ops) {
        for (std::uint64_t i = 0; i < ops; ++i) chained_ ? follow() : operate(steps_[i % steps_count]);
    }

    void measure(std::uint64_t ms) {
        std::uint64_t ops = 0, now = 0;
        const std::uint64_t start = thread_cpu_ns();
        do {
            const Step* const from = steps_.data() + ops % steps_count;
            if (chained_)
                for (std::size_t i = 0; i < chunk; ++i) follow();
            else
                for (const Step* step = from; step != from + chunk; ++step) operate(*step);
            ops += chunk;
            now = thread_cpu_ns();
        } while (now - start < ms * 1'000'000);
        std::cout << static_cast<double>(now - start) / static_cast<double>(ops) << ' ' << ops << std::endl;
    }

    int serve() {
        for (std::string line; std::getline(std::cin, line);) {
            std::istringstream words(line);
            std::string command;
            std::uint64_t ms = 0;
            words >> command >> ms;
            if (command == "measure" && ms > 0) {
                measure(ms);
            } else if (command == "armed") {
                print_semaphores();
            } else if (command == "clock") {
                std::cout << clock_pair_ns() << std::endl;
            } else {
                std::cerr << "measured: no such command: " << line << '\n';
                return 1;
            }
        }
        return 0;
    }

private:
    [[gnu::always_inline]] void operate(Step step) {
        const std::uint64_t key = step >> 1;
        if ((step & 1) != 0)
            put(map_, key);
        else
            look(map_, key);
    }
    // As a program does that needs what it looks up: the next operation begins when this one has ended.
    [[gnu::always_inline]] void follow() { at_ = look(map_, at_); }

    Map map_;
    bool chained_;
    std::uint64_t at_ = 0;
    std::vector<Step> steps_;
};

template <class Map, Lookup<Map> look, Assign<Map> put>
int go(Mix mix, const char* ops) {
    Loop<Map, look, put> loop(mix);
    if (ops == nullptr) return loop.serve();
    loop.run(std::strtoull(ops, nullptr, 10));
    return 0;
}

// A migration in a window would be measured as cost.
void pin_to_one_cpu() {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string map = argc > 1 ? argv[1] : "", mix = argc > 2 ? argv[2] : "";
    const char* ops = argc > 3 ? argv[3] : nullptr;
    const Mix loop = mix == "lookup" ? Mix::lookup : mix == "chained" ? Mix::chained : Mix::mixed;
    pin_to_one_cpu();
    if (map == "go_map") return go<GoMap, bench_lookup_go_map, bench_assign_go_map>(loop, ops);
    if (map == "mutex_map") return go<MutexMap, bench_lookup_mutex_map, bench_assign_mutex_map>(loop, ops);
    std::cerr << "usage: measured go_map|mutex_map lookup|mixed|chained [OPS]\n";
    return 2;
}
