// SPDX-License-Identifier: Apache-2.0
//
// Which sources see maps in the processes under audit, attached.
#pragma once

#include <memory>
#include <vector>

#include "cli/options.hpp"
#include "model/stack_walker.hpp"
#include "sources/source.hpp"
#include "util/process.hpp"

namespace mapaudit::cli {

// Attaches those that --source names; with `auto`, every one that finds something. Fails with no_target when there is
// a process in which none does. `stacks` outlives the sources.
Result<std::vector<std::unique_ptr<sources::Source>>> attach_sources(const std::vector<const Process*>& processes,
                                                                     const AuditOptions& options,
                                                                     model::StackWalker& stacks);

}  // namespace mapaudit::cli
