// SPDX-License-Identifier: Apache-2.0
//
// The worker threads of a load: started together, ended by their quota, the duration, a signal, or a failure.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <latch>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "distributions.hpp"
#include "outcome.hpp"
#include "workload_options.hpp"

namespace mapaudit::workload {

// What one worker does and has done. Only its own thread touches it while the load runs; with --churn the state
// passes from each thread to the next, so that the drawn operations stay the same.
struct alignas(64) Worker {
    Worker(const Options& options, unsigned index);

    Random random;
    std::uint64_t quota;  // operations to do
    std::uint64_t done = 0;
    std::uint64_t conflicts = 0;
    // Its maps: first_map, first_map + map_stride, … — map_count of them; ops[i] belongs to the i-th.
    unsigned first_map = 0, map_stride = 1, map_count = 0;
    std::vector<OpCounts> ops;
    std::unique_ptr<OpLatencies> latency;
    double due_ns = 0, interval_ns = 0;  // --rate: when the next operation is due on CLOCK_MONOTONIC; 0: at once
    std::uint64_t finished_ns = 0;
};

class Workers {
public:
    // Blocks SIGINT and SIGTERM in this thread and those it starts: from here on they end the load, not the process.
    explicit Workers(const Options& options);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers();

    // Says "ready" on stderr and returns once a probe was attached and no semaphore changed for 20 ms.
    std::optional<Failure> wait_for_attach();

    // Runs `work(worker, limit)` for every worker, each in a thread of its own, until all are done. `limit`: return
    // when worker.done reaches it, or when stop() is true.
    using Work = std::function<void(Worker& worker, std::uint64_t limit)>;
    std::optional<Failure> run(std::vector<Worker>& workers, const Work& work);

    bool stop() const noexcept { return stop_.load(std::memory_order_relaxed); }
    std::uint64_t started_ns() const noexcept { return started_.at_ns; }
    // The counter's rate over the load, by CLOCK_MONOTONIC.
    double ns_per_tick() const noexcept { return workload::ns_per_tick(started_, ended_); }

    // Returns when the worker's next operation is due, or early when the load ends.
    void await_turn(Worker& worker) const;

private:
    void run_slot(Worker& worker, const Work& work);
    void run_guarded(Worker& worker, const Work& work, std::uint64_t limit) noexcept;
    void wait_until_done();
    bool signalled(int timeout_us) const;

    const Options& options_;
    int signal_fd_ = -1, done_fd_ = -1;
    std::atomic<bool> stop_{false};
    std::atomic<std::size_t> running_{0};
    std::latch start_{1};
    Moment started_{}, ended_{};
    std::mutex failure_mutex_;
    std::optional<Failure> failure_;
};

}  // namespace mapaudit::workload
