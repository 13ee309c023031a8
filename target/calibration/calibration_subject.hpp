// SPDX-License-Identifier: Apache-2.0
//
// Small maps under a steady load: what an operation on them takes more while they are audited is what auditing costs.
#pragma once

#include <cstdint>
#include <memory>

namespace mapaudit::calibration {

class Subject {
public:
    Subject();
    ~Subject();

    // What is listened to, as the maps see it: this process's own semaphores, whatever is attached. An attachment is
    // then compared with none back and forth, which takes no time at all. Must be as it was before anything detaches.
    enum class Heard { nothing, every_operation, some_operations };
    static void listen(Heard what);

    // A map with a lock, which operations wait for, and one that they run through as fast as they can: what an
    // operation loses to being audited depends on what it would have overlapped with.
    enum class Kind { locked, plain };

    // The CPU time of one operation in ns, everything included, over `operations` of them.
    double operation_ns(Kind kind, std::uint32_t operations);
    // The same, on the locked one, where each operation hands over a batch of its own.
    double handed_over_ns(std::uint32_t operations);
    // The CPU time of one report of contention in ns.
    double event_ns(std::uint32_t events);
    // Hits the probe of batches with an empty one, from any thread: the way into the kernel and back.
    static void empty_hit();
    // False where the probes are compiled out.
    static bool has_probes();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace mapaudit::calibration
