// SPDX-License-Identifier: Apache-2.0
#include "model/function_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace mapaudit::model {
namespace {

// Operators whose names hold brackets, longest first; after "operator".
constexpr std::array<std::string_view, 12> bracket_operators{"<=>", "<<=", ">>=", "->*", "()", "<<",
                                                             ">>",  "<=",  ">=",  "->",  "<",  ">"};

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }

// Length of the operator's name that stands at the front of `text`, 0 for none.
std::size_t operator_length(std::string_view text) {
    constexpr std::string_view word = "operator";
    if (!text.starts_with(word)) return 0;
    for (const std::string_view symbol : bracket_operators)
        if (text.substr(word.size()).starts_with(symbol)) return word.size() + symbol.size();
    return 0;
}

// Behind the bracket that closes the one at `open`; npos where none does.
std::size_t behind_closing(std::string_view text, std::size_t open) {
    const char opening = text[open], closing = opening == '<' ? '>' : opening == '(' ? ')' : '}';
    int depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        if (opening == '<' && i > open && !is_name(text[i - 1]))
            if (const std::size_t length = operator_length(text.substr(i)); length != 0) {
                i += length - 1;
                continue;
            }
        // "->" inside template arguments closes nothing.
        if (closing == '>' && text[i] == '>' && i > 0 && text[i - 1] == '-') continue;
        if (text[i] == opening) ++depth;
        if (text[i] == closing && --depth == 0) return i + 1;
    }
    return std::string_view::npos;
}

// "{lambda(int, char)#2}" as "{lambda#2}".
std::string brief_brace(std::string_view brace) {
    const std::size_t parameters = brace.find('(');
    if (parameters == std::string_view::npos) return std::string(brace);
    const std::size_t end = behind_closing(brace, parameters);
    if (end == std::string_view::npos) return std::string(brace);
    return std::string(brace.substr(0, parameters)) + std::string(brace.substr(end));
}

}  // namespace

std::string brief_function(std::string_view demangled) {
    if (demangled.find(".(*") != std::string_view::npos) return std::string(demangled);  // Go: a method's receiver
    std::string brief;
    bool complete = false;  // the parameters have been met: what follows are qualifiers, or a local entity's "::"
    for (std::size_t i = 0; i < demangled.size();) {
        const std::string_view rest = demangled.substr(i);
        if (i == 0 || !is_name(demangled[i - 1]))
            if (const std::size_t length = operator_length(rest); length != 0) {
                brief += rest.substr(0, length);
                i += length;
                if (i < demangled.size() && demangled[i] == ' ') ++i;  // "operator< <int>"
                continue;
            }
        const char c = demangled[i];
        if (c == '<' || c == '(' || c == '{') {
            std::size_t end = behind_closing(demangled, i);
            if (end == std::string_view::npos) {
                if (!demangled.ends_with("…")) return std::string(demangled);
                end = demangled.size();  // it was cut for its length
            }
            const std::string_view inside = demangled.substr(i, end - i);
            if (c == '{') {
                brief += brief_brace(inside);
            } else if (c == '<') {
                brief += "<>";
            } else if (inside == "(anonymous namespace)") {
                brief += inside;
            } else if (brief != "decltype") {
                complete = true;  // parameters, of the function or of the one that it is local to
            }
            i = end;
            continue;
        }
        if (c == ' ' && !complete && brief != "operator" && !brief.ends_with("::operator")) {
            brief.clear();  // what came was the return type, or a part of it
        } else if (c == ':' && complete) {
            complete = false;
            brief += c;
        } else if (!complete) {
            brief += c;
        }
        ++i;
    }
    return brief.empty() ? std::string(demangled) : brief;
}

}  // namespace mapaudit::model
