// SPDX-License-Identifier: Apache-2.0
//
// What turns the stacks that a source comes by into ones that can be shown. The source knows only this.
#pragma once

#include <cstdint>

#include "model/stack.hpp"
#include "wire.h"

namespace mapaudit::model {

class StackWalker {
public:
    virtual ~StackWalker() = default;
    // Walks a stack while its memory is at hand, and keeps the way by the process and the stack's fingerprint.
    virtual void take(int pid, const wire_stack& stack) = 0;
    // Innermost frame first. Without frames, and with the reason, where the stack is not known; fingerprint 0 has none.
    virtual Stack resolved(int pid, std::uint64_t fingerprint) = 0;
};

}  // namespace mapaudit::model
