// SPDX-License-Identifier: Apache-2.0
//
// The audit itself, as `attach` and `run` both do it: outputs opened, sources attached, intervals until the end,
// summary. A stop signal detaches and drains; the terminal is restored whatever happens.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "cli/options.hpp"
#include "output/sink.hpp"
#include "util/process.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::cli {

// Blocks the signals that end an audit and makes them readable. Before anything is attached or forked.
Result<UniqueFd> take_stop_signals();
// What a child must undo of it before it executes a command.
void give_back_stop_signals();

// The outputs that were asked for, opened. Made before attaching, so that what cannot be written is found out first.
class Outputs {
public:
    static Result<Outputs> open(const AuditOptions& options);
    ~Outputs();
    Outputs(Outputs&&) noexcept;

    Result<void> write(const model::Report& report);
    // The evidence of a total report, where --folded asks for it.
    Result<void> write_folded(const model::Report& total);
    // Takes the live screen, if there is one, off the terminal; the summary and the last words follow.
    void leave_screen();
    // Opens the live screen or the row stream; after the attach, whose messages would be drawn over.
    Result<void> show(const AuditOptions& options);
    // Descriptor of the keyboard, -1 without a live screen; and true once the user asked to quit.
    int keyboard_fd() const;
    bool quit_asked();

private:
    struct Parts;
    explicit Outputs(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

// Audits until the end. `attached` is called once the probes are in place; `stopped` with the signal when one came
// (0: the duration was over).
struct AuditHooks {
    std::function<Result<void>()> attached;
    std::function<void(int)> stopped;
};
Result<int> audit(const std::vector<const Process*>& processes, const AuditOptions& options, Outputs outputs,
                  const UniqueFd& stop_signals, const AuditHooks& hooks = {});

}  // namespace mapaudit::cli
