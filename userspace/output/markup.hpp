// SPDX-License-Identifier: Apache-2.0
//
// What pages and drawings have in common.
#pragma once

#include <string>
#include <string_view>

namespace mapaudit::output {

// Text for an element's content or a quoted attribute of HTML and XML; what XML cannot hold is escaped as for a
// terminal.
std::string markup(std::string_view text);

}  // namespace mapaudit::output
