// SPDX-License-Identifier: Apache-2.0
//
// The driver's own clock, and where an audited operation stops it. detail/running.hpp includes this in the driver, and
// nowhere else (MAPAUDIT_OPERATION_CLOCK); no map that users compile has anything of it.
#pragma once

#include <cstdint>

#include <mapaudit/detail/platform.hpp>

namespace mapaudit::workload {

// The clock that probes use, with or without probes: the machine's counter where it is invariant.
inline const bool counter_usable = detail::counter_is_invariant();

// Unfenced, as an audited operation begins.
[[gnu::always_inline]] inline std::uint64_t ticks() noexcept {
    return counter_usable ? detail::counter() : detail::monotonic_ns();
}
// All that came before has been carried out; what follows may have begun, as where an audited operation begins.
[[gnu::always_inline]] inline std::uint64_t ticks_after() noexcept {
    return counter_usable ? detail::counter_after() : detail::monotonic_ns();
}
// Who read the clock inside the driver's window, besides the driver.
enum class Audit : std::uint8_t { none, untimed, timed };

// Where the calling thread's last audited operation ended, by the driver's clock.
struct OperationEnd {
    std::uint64_t at;
    Audit audit;
};
inline constinit bool operation_ends_wanted = false;  // --time-ops; set before any worker is there
inline thread_local constinit OperationEnd operation_end{0, Audit::none};

}  // namespace mapaudit::workload

#ifdef MAPAUDIT_OPERATION_CLOCK
namespace mapaudit::detail {

// Called where an operation is over and nothing of it is reported yet: no probe has fired, no batch has gone out. What
// the auditor does from here on is its own part, and no part of the operation.
[[gnu::always_inline]] inline void operation_ended(bool timed) noexcept {
    if (!workload::operation_ends_wanted) return;
    workload::operation_end = {workload::ticks_after(), timed ? workload::Audit::timed : workload::Audit::untimed};
}

}  // namespace mapaudit::detail
#endif
