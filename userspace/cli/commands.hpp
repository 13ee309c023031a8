// SPDX-License-Identifier: Apache-2.0
//
// The subcommands, a file each. Every function adds one to the program; when it is chosen, it runs and leaves its
// result in `outcome`: the exit code, or what went wrong.
#pragma once

#include <optional>

#include "util/result.hpp"

namespace CLI {
class App;
}

namespace mapaudit::cli {

using Outcome = std::optional<Result<int>>;

void add_attach(CLI::App& program, Outcome& outcome);
void add_run(CLI::App& program, Outcome& outcome);
void add_list(CLI::App& program, Outcome& outcome);
void add_report(CLI::App& program, Outcome& outcome);
void add_doctor(CLI::App& program, Outcome& outcome);

// -v and -q, once for all commands: what goes to stderr.
void set_verbosity(int verbose, int quiet);

}  // namespace mapaudit::cli
