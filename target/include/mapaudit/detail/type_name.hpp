// SPDX-License-Identifier: Apache-2.0
//
// The name of a class template, from the compiler's own spelling of the function it is asked in.
#ifndef MAPAUDIT_DETAIL_TYPE_NAME_HPP
#define MAPAUDIT_DETAIL_TYPE_NAME_HPP

#include <string_view>

namespace mapaudit::detail {

// Without namespaces and arguments: "unordered_map" for std::unordered_map<int, int>; "" if it cannot be told.
template <class T>
consteval std::string_view template_name() {
    // GCC: "… [with T = std::unordered_map<int, int>; …]", clang: "… [T = std::unordered_map<int, int>]".
    std::string_view text = __PRETTY_FUNCTION__;
    const std::size_t at = text.find("T = ");
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + 4);
    text = text.substr(0, text.find_first_of("<;]"));
    const std::size_t scope = text.rfind("::");
    return scope == std::string_view::npos ? text : text.substr(scope + 2);
}

}  // namespace mapaudit::detail

#endif
