// SPDX-License-Identifier: Apache-2.0
//
// Whether an ELF file is a Go program, and which Go built it. Both may have been removed on purpose; a program is still
// a Go program when its function table is there.
#pragma once

#include <string>

#include "sources/go/binary/go_image.hpp"

namespace mapaudit::sources {

// By its sections, or the linker's build id note, or its build information: strip leaves one of them at least.
bool looks_like_go(GoReader& reader);

// "go1.19.8" (debug/buildinfo's format since Go 1.18); empty where it is not said.
std::string go_version(GoReader& reader);

}  // namespace mapaudit::sources
