// SPDX-License-Identifier: Apache-2.0
//
// Function names short enough to read.
#pragma once

#include <string>
#include <string_view>

namespace mapaudit::model {

// A demangled name without return type, parameters and template arguments: "ns::table<>::find" of
// "bool ns::table<int, std::less<int> >::find(int const&) const". What does not look like a C++ name stays as it is.
std::string brief_function(std::string_view demangled);

}  // namespace mapaudit::model
