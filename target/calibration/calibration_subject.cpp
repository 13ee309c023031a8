// SPDX-License-Identifier: Apache-2.0
#include "calibration/calibration_subject.hpp"

#include <time.h>

#include <semaphore>
#include <thread>
#include <vector>

#include <mapaudit/probes.h>
#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>

namespace mapaudit::calibration {
namespace {

// More than the nearest cache holds: operations that wait for memory overlap more, and so lose more when audited.
constexpr std::uint64_t keys_held = 10'000;

double thread_cpu_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// In CPU time: on a machine that its target keeps busy, most of the wall time is somebody else's.
template <class Step>
double average_ns(std::uint32_t steps, Step step) {
    const double start = thread_cpu_ns();
    for (std::uint32_t i = 0; i < steps; ++i) step(i);
    return (thread_cpu_ns() - start) / steps;
}

// What is done next: a key, and in the lowest bit whether to assign it, which one in eight does. Drawn beforehand, so
// that nothing is timed but the maps; and more of them than the processor learns by heart, or the operations would take
// half the time that others' do. Xorshift64, Marsaglia, "Xorshift RNGs", 2003.
class Steps {
public:
    Steps() : all_(count) {
        std::uint64_t state = 0x9e3779b97f4a7c15u;
        for (std::uint16_t& step : all_) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            const std::uint64_t key = state % keys_held, one_in_eight = state >> 61 == 0;
            step = static_cast<std::uint16_t>(key << 1 | one_in_eight);
        }
    }
    std::uint16_t next() { return all_[at_++ % count]; }

private:
    static constexpr std::size_t count = 1u << 16;
    std::vector<std::uint16_t> all_;
    std::size_t at_ = 0;
};

// As a caller would: asked whether it is there, then used.
template <class Map>
[[gnu::always_inline]] inline void operate(Map& map, std::uint16_t step) {
    const std::uint64_t key = step >> 1;
    if ((step & 1) != 0)
        map.assign(key, key);
    else if (const auto found = map.lookup(key))
        asm volatile("" : : "r"(*found));
}

template <class Map>
[[gnu::noinline]] double operations_ns(Map& map, Steps& steps, std::uint32_t operations) {
    return average_ns(operations, [&](std::uint32_t) { operate(map, steps.next()); });
}

}  // namespace

struct Subject::Parts {
    mutex_map<std::uint64_t, std::uint64_t> locked{"calibration"};
    go_map<std::uint64_t, std::uint64_t> plain{"calibration"};
    map_handle events{"calibration", "events", {}};
    Steps steps{};
    // Never does anything. A process with one thread gets its mutexes without atomics from glibc, in half the time.
    std::binary_semaphore over{0};
    std::jthread other{[this] { over.acquire(); }};
    ~Parts() { over.release(); }
};

Subject::Subject() : parts_(std::make_unique<Parts>()) {
    for (std::uint64_t key = 0; key < keys_held; ++key) {
        parts_->locked.assign(key, key);
        parts_->plain.assign(key, key);
    }
}
Subject::~Subject() = default;

double Subject::operation_ns(Kind kind, std::uint32_t operations) {
    return kind == Kind::locked ? operations_ns(parts_->locked, parts_->steps, operations)
                                : operations_ns(parts_->plain, parts_->steps, operations);
}

#ifdef MAPAUDIT_NO_PROBES

void Subject::listen(Heard) {}
double Subject::handed_over_ns(std::uint32_t) { return 0; }
double Subject::event_ns(std::uint32_t) { return 0; }
void Subject::empty_hit() {}
bool Subject::has_probes() { return false; }

#else

void Subject::listen(Heard what) {
    const auto set = [](int semaphore, bool up) {
        __atomic_store_n(&mapaudit_semaphores[semaphore / 2], static_cast<std::uint16_t>(up), __ATOMIC_RELAXED);
    };
    // At level full or sampled the rare probes are attached as well, and their semaphores cost the operations that look
    // at them.
    for (const int rare : {MAPAUDIT_SEM_GROW, MAPAUDIT_SEM_EVACUATE, MAPAUDIT_SEM_CONTENDED, MAPAUDIT_SEM_CONFLICT,
                           MAPAUDIT_SEM_CREATE, MAPAUDIT_SEM_DESTROY, MAPAUDIT_SEM_RELEASED})
        set(rare, what != Heard::nothing);
    set(MAPAUDIT_SEM_BATCH, what == Heard::every_operation);
    set(MAPAUDIT_SEM_BATCH_SAMPLED, what == Heard::some_operations);
}

double Subject::handed_over_ns(std::uint32_t operations) {
    return average_ns(operations, [this](std::uint32_t) {
        operate(parts_->locked, parts_->steps.next());
        if (detail::tls_block != nullptr) detail::flush_block(*detail::tls_block);
    });
}

double Subject::event_ns(std::uint32_t events) {
    return average_ns(events, [this](std::uint32_t) {
        if (detail::listened_to(MAPAUDIT_SEM_CONTENDED, mapaudit_probe_contended))
            mapaudit_probe_contended(parts_->events.id(), MAPAUDIT_OP_LOOKUP, detail::ns_of_ticks(1), 0,
                                     detail::ns_of_ticks(1));
    });
}

void Subject::empty_hit() { mapaudit_probe_batch(0, 0, 0, 0, 0, 0); }

bool Subject::has_probes() { return true; }

#endif

}  // namespace mapaudit::calibration
