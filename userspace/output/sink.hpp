// SPDX-License-Identifier: Apache-2.0
//
// One output. A sink is made before anything is attached, so that what cannot be written is found out first.
#pragma once

#include "model/report.hpp"
#include "util/result.hpp"

namespace mapaudit::output {

class Sink {
public:
    virtual ~Sink() = default;
    // One interval, or at the end the total. A failure (a full disk) is reported once and ends the audit cleanly.
    [[nodiscard]] virtual Result<void> write(const model::Report& report) = 0;
};

}  // namespace mapaudit::output
