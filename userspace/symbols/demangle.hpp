// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace mapaudit::symbols {

// Bytes of a name that is shown; what is longer is cut, with an ellipsis.
inline constexpr std::size_t longest_name = 512;

// A symbol as people write it: demangled where it is mangled, parameters and template arguments kept.
std::string readable_name(const char* symbol);

// Cuts an absurdly long name between two characters of its UTF-8.
std::string shortened(std::string_view name);

}  // namespace mapaudit::symbols
