// SPDX-License-Identifier: Apache-2.0
//
// What `attach` and `run` have in common on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "output/view.hpp"
#include "sources/source.hpp"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace mapaudit::cli {

struct AuditOptions {
    double interval_s = 1;
    std::optional<double> duration_s;
    std::string csv;                             // path, "-" or empty
    std::optional<sources::Level> level;         // empty: auto
    std::optional<double> max_overhead;          // percent; empty: the default of the level
    bool races = false;                          // of Go programs
    std::uint32_t max_maps = 0, max_stacks = 0;  // 0: by what the target has
    bool per_cpu = false, per_thread = false;
    bool no_cpu = false;
    std::string map_pattern;
    std::size_t top = 0;
    std::string sort = "trouble";
    std::string source = "auto";
    bool plain = false;
    int quiet = 0, verbose = 0;
    bool stacks = false;
    std::string folded;  // path or empty
    bool fail_on_loss = false, fail_on_conflict = false;
};

// A process id: what is no positive number is a usage error that says so.
CLI::Validator process_id();

// Adds the options to a subcommand; `options` must outlive the parse.
void add_audit_options(CLI::App& command, AuditOptions& options);

// The parts that only make sense once parsed; usage errors.
Result<output::View> make_view(const AuditOptions& options);

}  // namespace mapaudit::cli
