// SPDX-License-Identifier: Apache-2.0
#include "output/folded.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "output/format.hpp"

namespace mapaudit::output {
namespace {

// A name within a line: a semicolon would be two frames.
std::string folded_name(std::string_view name) {
    std::string safe = escape(name);
    for (std::size_t at = 0; (at = safe.find(';', at)) != std::string::npos;) safe.replace(at, 1, "\\x3b");
    return safe;
}

void append_frame(std::string& line, std::string_view name) {
    if (!line.empty()) line += ';';
    line += name.empty() ? "[unknown]" : name;
}

std::string folded_line(const FoldedStack& folded) {
    std::string line;
    for (const std::string& name : folded.prefix) append_frame(line, folded_name(name));
    if (folded.stack == nullptr) return line;
    if (!folded.stack->cut.empty()) append_frame(line, "[" + folded_name(folded.stack->cut) + "]");
    const auto& frames = folded.stack->frames;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame)
        append_frame(line, folded_name(frame_name(*frame)) + (frame->inlined ? "_[i]" : ""));
    return line;
}

}  // namespace

std::string frame_name(const model::Frame& frame) {
    if (!frame.function.empty()) return escape(frame.function);
    return frame.module.empty() ? "[unknown]" : fmt::format("{}+{:#x}", escape(frame.module), frame.offset);
}

std::string folded_text(std::span<const FoldedStack> stacks) {
    std::map<std::string, std::uint64_t> lines;
    for (const FoldedStack& folded : stacks)
        if (folded.value != 0) lines[folded_line(folded)] += folded.value;
    std::string text;
    for (const auto& [line, value] : lines)
        if (!line.empty()) text += fmt::format("{} {}\n", line, value);
    return text;
}

Result<FoldedFile> FoldedFile::make(const std::string& path) {
    Result<OutputFile> file = OutputFile::open(path);
    if (!file) return file.error();
    return FoldedFile(*std::move(file));
}

}  // namespace mapaudit::output
