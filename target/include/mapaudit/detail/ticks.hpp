// SPDX-License-Identifier: Apache-2.0
//
// The process's clock, in ticks: the machine's counter where it is invariant, CLOCK_MONOTONIC otherwise. The registry
// decides which before the first operation can ask.
#ifndef MAPAUDIT_DETAIL_TICKS_HPP
#define MAPAUDIT_DETAIL_TICKS_HPP

#include <cstdint>

#include <mapaudit/detail/platform.hpp>
#include <mapaudit/detail/thunks.hpp>

namespace mapaudit::detail {

inline constinit bool clock_is_counter = false;

[[gnu::always_inline]] inline std::uint64_t ticks() noexcept {
    if (clock_is_counter) [[likely]]
        return counter();
    return monotonic_ns();
}

// The clock at the end of an interval: all that the interval was to measure has been carried out.
[[gnu::always_inline]] inline std::uint64_t ticks_after() noexcept {
    if (clock_is_counter) [[likely]]
        return counter_after();
    return monotonic_ns();
}

// An interval in ns, by what the two clocks did since the registry came up: for the rare and slow.
[[gnu::noinline]] inline std::uint64_t ns_of_ticks(std::uint64_t interval) noexcept {
    if (!clock_is_counter) return interval;
    const auto& r = mapaudit_process_registry;
    const auto ns = static_cast<double>(monotonic_ns() - r.start_ns);
    const auto passed = static_cast<double>(counter() - r.start_ticks);
    return passed <= 0 ? 0 : static_cast<std::uint64_t>(static_cast<double>(interval) * (ns / passed));
}

}  // namespace mapaudit::detail

#endif
