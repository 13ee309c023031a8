// SPDX-License-Identifier: Apache-2.0
//
// What the live screen shows, as lines of text: pure, so that it is tested without a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/report.hpp"
#include "output/view.hpp"

namespace mapaudit::output {

enum class Ink { plain, title, header, warning, faint };

struct Line {
    std::string text;  // escaped, no wider than the screen
    Ink ink = Ink::plain;
};

// What the keys have changed.
struct ScreenState {
    std::size_t scroll = 0;  // rows above the first shown
    bool paused = false;
    bool help = false;
};

struct Frame {
    std::vector<Line> lines;      // at most `height`
    std::size_t page = 1;         // rows of the table that have room
    std::size_t last_scroll = 0;  // the largest scroll that still fills the page
};

// From the top: title, what is wrong, table header, rows, ledger, own cost and help. A small terminal goes without what
// is wrong, then without the lower ones.
Frame layout(const model::Report& report, const View& view, const ScreenState& state, std::size_t width,
             std::size_t height);

}  // namespace mapaudit::output
