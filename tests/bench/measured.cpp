// SPDX-License-Identifier: Apache-2.0
//
// The measured process: one thread, one map, an endless loop of operations in windows asked for on stdin. One process
// is measured unattached, attached and detached in turn, so that variants differ in nothing else. Built twice: with
// probes and without.
//
//   measured MAP MIX        commands: measure MS → "ns_per_op ops" · armed → the semaphores · clock → ns · end of input
//   ends measured MAP MIX OPS     runs that many operations and exits (for callgrind)
#include <sched.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
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
[[gnu::always_inline]] inline void look_up(Map& map, std::uint64_t key) {
    const OperationTrace trace(map.id(), MAPAUDIT_OP_LOOKUP);
    if (const auto found = map.lookup(key)) asm volatile("" : : "r"(*found));
}

template <class Map>
[[gnu::always_inline]] inline void assign(Map& map, std::uint64_t key) {
    const OperationTrace trace(map.id(), MAPAUDIT_OP_ASSIGN);
    map.assign(key, key);
}

}  // namespace

// One function an operation, with a name that tracers of functions can find.
extern "C" {
[[gnu::noinline]] void bench_lookup_go_map(GoMap& map, std::uint64_t key) { look_up(map, key); }
[[gnu::noinline]] void bench_assign_go_map(GoMap& map, std::uint64_t key) { assign(map, key); }
[[gnu::noinline]] void bench_lookup_mutex_map(MutexMap& map, std::uint64_t key) { look_up(map, key); }
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

template <class Map>
using Call = void (*)(Map&, std::uint64_t);

template <class Map, Call<Map> Lookup, Call<Map> Assign>
class Loop {
public:
    explicit Loop(double assign_share) : map_("bench"), steps_(make_steps(assign_share)) {
        for (std::uint64_t key = 0; key < keys; ++key) map_.assign(key, key);
    }

    void run(std::uint64_t ops) {
        for (std::uint64_t i = 0; i < ops; ++i) operate(steps_[i % steps_count]);
    }

    void measure(std::uint64_t ms) {
        std::uint64_t ops = 0, now = 0;
        const std::uint64_t start = thread_cpu_ns();
        do {
            const Step* const from = steps_.data() + ops % steps_count;
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
            Assign(map_, key);
        else
            Lookup(map_, key);
    }

    Map map_;
    std::vector<Step> steps_;
};

template <class Map, Call<Map> Lookup, Call<Map> Assign>
int go(double assign_share, const char* ops) {
    Loop<Map, Lookup, Assign> loop(assign_share);
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
    const double assign_share = mix == "lookup" ? 0.0 : 0.1;
    pin_to_one_cpu();
    if (map == "go_map") return go<GoMap, bench_lookup_go_map, bench_assign_go_map>(assign_share, ops);
    if (map == "mutex_map") return go<MutexMap, bench_lookup_mutex_map, bench_assign_mutex_map>(assign_share, ops);
    std::cerr << "usage: measured go_map|mutex_map lookup|mixed [OPS]\n";
    return 2;
}
