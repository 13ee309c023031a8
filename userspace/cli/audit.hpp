// SPDX-License-Identifier: Apache-2.0
//
// The audit itself, as `attach` and `run` both do it: sources attached, intervals until the end, summary. A stop signal
// detaches and drains; the terminal is restored whatever happens.
#pragma once

#include <functional>
#include <vector>

#include "cli/audit_options.hpp"
#include "cli/audit_outputs.hpp"
#include "collect/stop_signals.hpp"
#include "util/process.hpp"

namespace mapaudit::cli {

struct AuditHooks {
    std::function<Result<void>()> attached;  // once the probes are in place; may be empty
    std::function<void(int)> stopped;        // with the signal when one came, 0: the duration was over; may be empty
};

// Audits until the end. Returns the exit code.
Result<int> audit(const std::vector<const Process*>& processes, const AuditOptions& options, Outputs outputs,
                  const collect::StopSignals& stop_signals, const AuditHooks& hooks = {});

}  // namespace mapaudit::cli
