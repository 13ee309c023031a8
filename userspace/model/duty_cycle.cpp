// SPDX-License-Identifier: Apache-2.0
#include "model/duty_cycle.hpp"

#include <algorithm>

namespace mapaudit::model {

bool DutyCycle::decide(const Spent& spent) {
    if (always()) return open_ = true;
    if (opened_) {
        credit_ns_ += budget_ * (spent.target_cpu_ns - last_.target_cpu_ns) - (spent.cost_ns - last_.cost_ns);
        credit_ns_ = std::min(credit_ns_, most_ns_);
        last_ = spent;
        if (open_) return open_ = credit_ns_ > 0 || spent.seconds - opened_->seconds < shortest_s;
        // What probes that are still being detached cost belongs to the window before.
        if (credit_ns_ <= 0 || credit_ns_ < std::min(spent.cost_ns - opened_->cost_ns, budget_ * saved_ns))
            return false;
    }
    last_ = spent;
    opened_ = spent;
    return open_ = true;
}

}  // namespace mapaudit::model
