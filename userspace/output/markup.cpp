// SPDX-License-Identifier: Apache-2.0
#include "output/markup.hpp"

#include "output/format.hpp"

namespace mapaudit::output {

std::string markup(std::string_view text) {
    std::string safe;
    for (const char c : escape(text)) switch (c) {
            case '&': safe += "&amp;"; break;
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '"': safe += "&quot;"; break;
            case '\'': safe += "&#39;"; break;
            default: safe += c;
        }
    return safe;
}

}  // namespace mapaudit::output
