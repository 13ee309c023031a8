// SPDX-License-Identifier: Apache-2.0
#include "window_costs.hpp"

#include <limits>

namespace mapaudit::workload {
namespace {

template <std::size_t Kept, std::size_t Tries>
double mean_of_lower(std::array<std::uint64_t, Tries>& values) {
    std::ranges::sort(values);
    return static_cast<double>(std::accumulate(values.begin(), values.begin() + Kept, std::uint64_t{0})) / Kept;
}

// What a window shows more than a reading of the clock does.
std::uint64_t beyond(double reading, double window) {
    return window > reading ? static_cast<std::uint64_t>(window - reading + 0.5) : 0;
}

#ifndef MAPAUDIT_NO_PROBES
// As the operations of a map, but that it does nothing.
[[gnu::noinline]] void audit_nothing(mapaudit_thread_block* block, std::uint8_t how) {
    detail::audit_as<op::lookup>(
        block, 1, [](auto&) {}, how);
}
#endif

}  // namespace

// For up to some twenty nanoseconds.
void WindowCosts::wait_unevenly() noexcept {
    random_ = random_ * 1664525u + 1013904223u;
    for (std::uint32_t turns = random_ >> 26; turns != 0; --turns) asm volatile("" : "+r"(turns));
}

void WindowCosts::measure() {
    std::array<std::uint64_t, tries> readings, bare;
    for (std::size_t i = 0; i < tries; ++i) {
        wait_unevenly();
        const std::uint64_t first = ticks(), second = ticks_after();
        readings[i] = second - first;
        wait_unevenly();
        const std::uint64_t start = ticks_after(), end = ticks_after();
        bare[i] = end - start;
    }
    const double reading = mean_of_lower<kept>(readings);
    costs_[static_cast<unsigned>(Audit::none)] = beyond(reading, mean_of_lower<kept>(bare));
#ifndef MAPAUDIT_NO_PROBES
    if (!block_) {
        block_ = std::make_unique<mapaudit_thread_block>();
        block_->cpu_address = detail::address(detail::cpu_number_address());
        block_->deadline = std::numeric_limits<std::uint64_t>::max();
    }
    const auto audited = [&](std::uint8_t how) {
        std::array<std::uint64_t, tries> windows;
        for (std::uint64_t& window : windows) {
            block_->seq = block_->flushed = 0;  // nothing is ever full, nothing goes out
            wait_unevenly();
            const std::uint64_t start = ticks_after();
            audit_nothing(block_.get(), how);
            window = operation_end.at - start;
        }
        return beyond(reading, mean_of_lower<kept>(windows));
    };
    costs_[static_cast<unsigned>(Audit::untimed)] = audited(timed::none);
    costs_[static_cast<unsigned>(Audit::timed)] = audited(timed::every);
#endif
}

}  // namespace mapaudit::workload
