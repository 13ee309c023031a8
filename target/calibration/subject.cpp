// SPDX-License-Identifier: Apache-2.0
#include "calibration/subject.hpp"

#include <mapaudit/mutex_map.hpp>
#include <mapaudit/probes.h>

#include <chrono>

namespace mapaudit::calibration {
namespace {

// More than the nearest cache holds: operations that wait for memory overlap more, and so lose more when audited.
constexpr std::uint64_t keys = 16384;

template <class Step>
double average_ns(std::uint32_t steps, Step step) {
    const auto start = std::chrono::steady_clock::now();
    for (std::uint32_t i = 0; i < steps; ++i) step(i);
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / steps;
}

}  // namespace

struct Subject::Parts {
    // A map as others have it: what an operation loses to being audited, besides what is done for it, is that it no
    // longer overlaps with the next one. On an empty operation that would not show.
    mutex_map<std::uint64_t, std::uint64_t> map{"calibration"};
    map_handle events{"calibration", "events", {}};

    std::uint64_t look_up(std::uint64_t i) {
        const auto found = map.lookup(i * 0x9e3779b97f4a7c15u >> 50);
        return found ? *found : 0;
    }
};

Subject::Subject() : parts_(std::make_unique<Parts>()) {
    for (std::uint64_t key = 0; key < keys; ++key) parts_->map.assign(key, key);
}
Subject::~Subject() = default;

double Subject::operation_ns(std::uint32_t operations) {
    return average_ns(operations, [this](std::uint32_t i) {
        const std::uint64_t found = parts_->look_up(i);
        asm volatile("" : : "r"(found));
    });
}

#ifdef MAPAUDIT_NO_PROBES

double Subject::handed_over_ns(std::uint32_t) { return 0; }
double Subject::event_ns(std::uint32_t) { return 0; }
bool Subject::has_probes() { return false; }

#else

double Subject::handed_over_ns(std::uint32_t operations) {
    return average_ns(operations, [this](std::uint32_t i) {
        const std::uint64_t found = parts_->look_up(i);
        asm volatile("" : : "r"(found));
        if (detail::tls_block != nullptr) detail::flush_block(*detail::tls_block);
    });
}

double Subject::event_ns(std::uint32_t events) {
    return average_ns(events, [this](std::uint32_t) {
        if (detail::listened_to(MAPAUDIT_SEM_CONTENDED, mapaudit_probe_contended))
            mapaudit_probe_contended(parts_->events.id(), MAPAUDIT_OP_LOOKUP, 1, 0, 0);
    });
}

bool Subject::has_probes() { return true; }

#endif

}  // namespace mapaudit::calibration
