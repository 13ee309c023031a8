// SPDX-License-Identifier: Apache-2.0
//
// The runtime's moduledata: the one structure in writable data that begins with a pointer to .gopclntab's header.
#pragma once

#include <optional>

#include "sources/go/binary/go_pclntab.hpp"

namespace mapaudit::sources {

// Nothing: no structure refers to the table and agrees with it.
std::optional<GoModule> find_moduledata(GoReader& reader, const GoPclntab& table);

}  // namespace mapaudit::sources
