// SPDX-License-Identifier: Apache-2.0
#include "maps/window.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "subject.hpp"

namespace mapaudit::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Lets threads wait for one another without keeping a CPU from those that have yet to come.
class Gate {
public:
    explicit Gate(unsigned threads) : missing_(threads) {}
    void pass() {
        std::unique_lock lock(mutex_);
        if (--missing_ == 0) all_here_.notify_one();
        opened_.wait(lock, [this] { return open_; });
    }
    Clock::time_point open_when_all_are_here() {
        std::unique_lock lock(mutex_);
        all_here_.wait(lock, [this] { return missing_ == 0; });
        open_ = true;
        const auto now = Clock::now();
        opened_.notify_all();
        return now;
    }

private:
    std::mutex mutex_;
    std::condition_variable all_here_, opened_;
    unsigned missing_;
    bool open_ = false;
};

std::vector<int> allowed_cpus() {
    cpu_set_t allowed;
    std::vector<int> cpus;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
    return cpus;
}

// The calling thread, which else may spend the first milliseconds on the CPU of another.
void pin_to(int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof one, &one);
}

}  // namespace

std::string fault_in(const Point& point, const Tally& tally, std::uint64_t before, std::uint64_t after) {
    if (tally.ops() == 0) return "no operation was done";
    // An assignment is of a key that may be anywhere: it meets an erased one only where many were.
    const bool some_are_new = tally.erased >= before / 10;
    if (tally.lookups == 0 || (point.read_percent < 100 &&
                               (tally.assigns == 0 || tally.erased == 0 || (some_are_new && tally.inserted == 0))))
        return fmt::format("{} look-ups, {} insertions and {} erasures were done", tally.lookups, tally.inserted,
                           tally.erased);
    if (tally.wrong != 0) return fmt::format("{} of {} look-ups gave another key's value", tally.wrong, tally.lookups);
    if (point.read_percent == 100 && tally.found != tally.lookups)
        return fmt::format("{} of {} look-ups found nothing, in a map that has every key", tally.lookups - tally.found,
                           tally.lookups);
    if (tally.found == 0) return "no look-up found anything";
    if (before + tally.inserted - tally.erased != after)
        return fmt::format("{} elements, {} inserted and {} erased, make {}, and it says {}", before, tally.inserted,
                           tally.erased, before + tally.inserted - tally.erased, after);
    return {};
}

MapWindow measure_window(MapSubject& map, const Point& point, const Keys& keys, const std::vector<MapStep>& steps,
                         std::uint64_t size, unsigned round, std::chrono::milliseconds length) {
    const std::vector<int> cpus = allowed_cpus();
    std::atomic<bool> stop = false;
    Gate gate(point.threads);
    std::vector<Tally> tallies(point.threads);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < point.threads; ++i)
        threads.emplace_back([&, i] {
            // Evenly apart, and in each round elsewhere.
            const std::size_t from = (steps.size() / point.threads * i + steps.size() / 7 * round) % steps.size();
            if (point.threads <= cpus.size()) pin_to(cpus[i]);
            gate.pass();
            tallies[i] = map.work(keys, steps, from, stop);
        });
    const auto start = gate.open_when_all_are_here();
    std::this_thread::sleep_until(start + length);
    stop.store(true, std::memory_order_relaxed);
    for (std::thread& thread : threads) thread.join();
    const std::chrono::duration<double> took = Clock::now() - start;

    MapWindow window{took.count(), {}, size};
    for (const Tally& tally : tallies) window.tally += tally;
    if (point.read_percent < 100) window.size = map.size();
    if (const std::string fault = fault_in(point, window.tally, size, window.size); !fault.empty())
        throw BenchError(fault);
    return window;
}

}  // namespace mapaudit::bench
