// SPDX-License-Identifier: Apache-2.0
//
// What an audit writes to: files, the live screen or the row stream, the summary.
#pragma once

#include <memory>

#include "cli/audit_options.hpp"
#include "output/sink.hpp"

namespace mapaudit::cli {

// The outputs that were asked for, opened. Made before attaching, so that what cannot be written is found out first.
class Outputs {
public:
    static Result<Outputs> open(const AuditOptions& options);
    ~Outputs();
    Outputs(Outputs&&) noexcept;

    Result<void> write(const model::Report& report);
    // The evidence of a total report, where --folded asks for it.
    Result<void> write_folded(const model::Report& total);
    // What people read at the end: on stdout, or on stderr where --csv has stdout.
    void summarize(const model::Report& total, const AuditOptions& options);
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

}  // namespace mapaudit::cli
