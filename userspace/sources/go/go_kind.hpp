// SPDX-License-Identifier: Apache-2.0
//
// The go source, for the table of sources.
#pragma once

#include "sources/source_kind.hpp"

namespace mapaudit::sources {

extern const SourceKind go_kind;

}  // namespace mapaudit::sources
