// SPDX-License-Identifier: Apache-2.0
#include "symbols/demangle.hpp"

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace mapaudit::symbols {
namespace {

// A mangled name may stand for a far longer one; what is longer than this is nobody's to read, demangled or not.
constexpr std::size_t longest_mangled = 4096;

// What compilers append to the copies and parts that they make of a function: it is that function still.
std::string_view without_clone_suffix(std::string_view symbol) {
    static constexpr std::array<std::string_view, 6> suffixes{".constprop.", ".isra.",     ".part.",
                                                              ".cold",       ".lto_priv.", ".llvm."};
    for (const std::string_view suffix : suffixes)
        if (const std::size_t at = symbol.find(suffix); at != std::string_view::npos && at > 0)
            symbol = symbol.substr(0, at);
    return symbol;
}

}  // namespace

std::string shortened(std::string_view name) {
    if (name.size() <= longest_name) return std::string(name);
    constexpr std::string_view ellipsis = "…";
    std::size_t end = longest_name - ellipsis.size();
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
    return std::string(name.substr(0, end)).append(ellipsis);
}

std::string readable_name(const char* symbol) {
    const std::string name(without_clone_suffix({symbol, ::strnlen(symbol, longest_mangled)}));
    if (name.size() < longest_mangled && name.starts_with("_Z")) {
        int status = 0;
        const std::unique_ptr<char, decltype(&std::free)> demangled(
            abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
        if (status == 0 && demangled) return shortened(demangled.get());
    }
    return shortened(name);
}

}  // namespace mapaudit::symbols
