// SPDX-License-Identifier: Apache-2.0
//
// Which sources see maps in the processes under audit, attached.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "cli/audit_options.hpp"
#include "cli/source_table.hpp"
#include "model/stack_walker.hpp"
#include "sources/source_kind.hpp"
#include "util/process.hpp"

namespace mapaudit::cli {

using Sources = std::vector<std::unique_ptr<sources::Source>>;

// Attaches those of `kinds` that `choice` (--source) means and that find something, in the order of the table. Fails
// with no_target when there is a process in which none does.
Result<Sources> attach_sources(const std::vector<const Process*>& processes, SourceKinds kinds, std::string_view choice,
                               const sources::SourceRequest& request);

// What the command line asks of every source. `stacks` outlives them.
sources::SourceRequest source_request(const AuditOptions& options, model::StackWalker& stacks);

}  // namespace mapaudit::cli
