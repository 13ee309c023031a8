// SPDX-License-Identifier: Apache-2.0
//
// Where .gopclntab starts, and what its header says.
#pragma once

#include <vector>

#include "sources/go/binary/go_pclntab.hpp"

namespace mapaudit::sources {

// Addresses at which the table may start: its section's where one is named so, else every place that looks like one (a
// position-independent executable that an external linker made has it in the midst of other data).
std::vector<std::uint64_t> header_candidates(GoReader& reader);

// Fails with what is wrong with the header at `address`.
Result<GoPclntab> read_header(GoReader& reader, std::uint64_t address);

}  // namespace mapaudit::sources
