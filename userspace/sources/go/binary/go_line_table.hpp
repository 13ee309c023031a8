// SPDX-License-Identifier: Apache-2.0
//
// From an address to function, file and line: the tables by which the runtime prints its own stack traces.
#pragma once

#include "sources/go/binary/go_binary.hpp"
#include "sources/go/binary/go_pclntab.hpp"

namespace mapaudit::sources {

// The innermost function at `address`, inlined ones included. Nothing: no Go function, or a damaged table. Where only
// file and line are missing, they are empty and 0.
std::optional<GoLine> line_at(GoReader& reader, const GoModule& module, std::uint64_t address);

}  // namespace mapaudit::sources
