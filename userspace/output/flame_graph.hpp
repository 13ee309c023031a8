// SPDX-License-Identifier: Apache-2.0
//
// Folded stacks drawn as a flame graph: one self-contained SVG element. Hovering shows a frame's figures, clicking
// zooms, "search" marks what it finds; without scripts it is a picture with tooltips.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "util/result.hpp"

namespace mapaudit::output {

// The stacks as a tree: node 0 is the root, of which all are children.
class FlameTree {
public:
    struct Node {
        std::string name;
        std::uint64_t value = 0;  // of the frame and all inside it
        std::map<std::string, std::size_t, std::less<>> children;
    };

    // Reads folded text. A line is frames, a blank, a number; fails, with the line's number, on one that is not. Frames
    // deeper than 256 are left out, their value is their caller's. `name` is the file's, for messages.
    static Result<FlameTree> read(std::string_view folded, const std::string& name);

    const std::vector<Node>& nodes() const { return nodes_; }

private:
    FlameTree() : nodes_{{"all", 0, {}}} {}
    void add(std::string_view frames, std::uint64_t value);
    std::vector<Node> nodes_;
};

// True where the first line that is not blank ends with a blank and a number.
bool looks_like_folded(std::string_view text);

// Frames too narrow to see are left out. With `standalone`, the SVG is a file of its own: with namespace and colours.
std::string flame_svg(const FlameTree& tree, const std::string& title, bool standalone);

}  // namespace mapaudit::output
