// SPDX-License-Identifier: Apache-2.0
//
// What can be attached to a measured process, ours or a peer's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "subject.hpp"

namespace mapaudit::bench {

// What a tracer says at its end, in its own events: to be held against what was done.
struct Seen {
    std::optional<std::uint64_t> events;  // nothing where the variant counts none
    std::uint64_t lost = 0;               // by the tracer's own account
};

// One attachment: launch where it must, attach, detach. Every step throws BenchError when it fails, and the destructor
// leaves nothing behind whatever came before.
class Tracer {
public:
    virtual ~Tracer() = default;
    // A process to measure that this tracer must start itself, or that needs a program of its own; null: any will do.
    virtual std::unique_ptr<Subject> launch(const std::string& /*map*/, const std::string& /*mix*/) { return nullptr; }
    // Returns once everything is attached.
    virtual void attach(Subject& subject) = 0;
    virtual Seen detach(Subject& subject) = 0;
    // CPU time of the tracer's own processes until now; meaningful while attached.
    virtual std::uint64_t cpu_ns() const = 0;
};

}  // namespace mapaudit::bench
