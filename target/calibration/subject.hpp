// SPDX-License-Identifier: Apache-2.0
//
// A small map under a steady load: what an operation on it takes more while it is audited is what auditing costs.
#pragma once

#include <cstdint>
#include <memory>

namespace mapaudit::calibration {

class Subject {
public:
    Subject();
    ~Subject();

    // The time of one operation in ns, everything included, over `operations` of them.
    double operation_ns(std::uint32_t operations);
    // The same where each operation hands over a batch of its own.
    double handed_over_ns(std::uint32_t operations);
    // The time of one report of contention in ns.
    double event_ns(std::uint32_t events);
    // False where the probes are compiled out.
    static bool has_probes();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace mapaudit::calibration
