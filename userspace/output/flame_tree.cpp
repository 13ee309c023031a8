// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "output/flame_graph.hpp"
#include "output/format.hpp"

namespace mapaudit::output {
namespace {

constexpr std::size_t deepest = 256;

struct FoldedLine {
    std::string_view frames;
    std::uint64_t value = 0;
};

// Other tools write fractions, too: rounded.
std::optional<FoldedLine> folded_line(std::string_view line) {
    const std::size_t blank = line.find_last_of(" \t");
    if (blank == std::string_view::npos || blank == 0 || blank + 1 == line.size()) return {};
    const std::string_view digits = line.substr(blank + 1);
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || !(value >= 0 && value < 1e18)) return {};
    return FoldedLine{line.substr(0, blank), static_cast<std::uint64_t>(value + 0.5)};
}

// The next line, without its end; `text` goes on behind it.
std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

void FlameTree::add(std::string_view frames, std::uint64_t value) {
    std::size_t node = 0;
    nodes_[0].value += value;
    for (std::size_t depth = 0; depth < deepest && !frames.empty(); ++depth) {
        const std::size_t end = frames.find(';');
        const std::string_view frame = frames.substr(0, end);
        frames.remove_prefix(end == std::string_view::npos ? frames.size() : end + 1);
        const auto found = nodes_[node].children.find(frame);
        std::size_t child = nodes_.size();
        if (found == nodes_[node].children.end()) {
            nodes_[node].children.emplace(frame, child);
            nodes_.push_back({std::string(frame), 0, {}});
        } else {
            child = found->second;
        }
        node = child;
        nodes_[node].value += value;
    }
}

bool looks_like_folded(std::string_view text) {
    while (!text.empty())
        if (const std::string_view line = take_line(text); !line.empty()) return folded_line(line).has_value();
    return false;
}

Result<FlameTree> FlameTree::read(std::string_view folded, const std::string& name) {
    FlameTree tree;
    std::size_t number = 0;
    while (!folded.empty()) {
        const std::string_view line = take_line(folded);
        ++number;
        if (line.empty()) continue;
        const auto parsed = folded_line(line);
        if (!parsed)
            return Error::of(
                Failure::failed,
                fmt::format("{} line {}: no folded stack (frames, a blank, a number)", escape(name), number),
                "give a file that --folded wrote");
        if (parsed->value != 0) tree.add(parsed->frames, parsed->value);
    }
    return tree;
}

}  // namespace mapaudit::output
