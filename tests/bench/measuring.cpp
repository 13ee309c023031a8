// SPDX-License-Identifier: Apache-2.0
#include "measuring.hpp"

#include <algorithm>
#include <chrono>

namespace mapaudit::bench {
namespace {

constexpr unsigned warm_up_ms = 20, window_ms = 120;

}  // namespace

Measured measure(Subject& subject, Tracer* tracer) {
    using Clock = std::chrono::steady_clock;
    const Window warm_up = subject.measure(warm_up_ms);
    const std::uint64_t cpu_before = tracer != nullptr ? tracer->cpu_ns() : 0;
    const auto start = Clock::now();
    const Window window = subject.measure(window_ms);
    const std::chrono::duration<double, std::nano> wall = Clock::now() - start;
    Measured result{window.ns_per_op, warm_up.ops + window.ops, {}, {}};
    if (tracer == nullptr) return result;
    // What ended meanwhile counts in steps of 10 ms, and so may seem to have taken less than before.
    const std::uint64_t cpu_after = std::max(tracer->cpu_ns(), cpu_before);
    result.tracer_cpu = static_cast<double>(cpu_after - cpu_before) / wall.count();
    result.seen = tracer->detach(subject);
    return result;
}

}  // namespace mapaudit::bench
