// SPDX-License-Identifier: Apache-2.0
#include "output/flame_graph.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "output/format.hpp"
#include "output/markup.hpp"

namespace mapaudit::output {
namespace {

constexpr double width = 1200, margin = 10, row_height = 17, head = 40, char_width = 6.7;
constexpr double narrowest = 0.4;  // pixels

constexpr std::string_view colors = R"(<style>
.flame { font: 11px ui-monospace, "DejaVu Sans Mono", monospace; --ink: #1b1f24; --paper: #fff; --edge: #fff; }
.flame .paper { fill: var(--paper); } .flame text { fill: var(--ink); pointer-events: none; }
.flame .head { font: 600 14px system-ui, sans-serif; } .flame .hint { fill: #667; }
.flame g.f { cursor: pointer; } .flame g.f rect { stroke: var(--edge); stroke-width: .5; rx: 1.5; }
.flame g.f text { fill: #22190f; }
.flame g.f:hover rect { stroke: var(--ink); stroke-width: 1; } .flame g.found rect { fill: #b48ce0 !important; }
.flame g.outer { opacity: .55; }
@media (prefers-color-scheme: dark) {
.flame { --ink: #e4e7eb; --paper: #16191d; --edge: #16191d; } .flame g.f rect { filter: saturate(.8) brightness(.86); }
}
</style>
)";

// Zooms by new places for the frames that are there; x and width of each are kept as parts of the whole.
constexpr std::string_view script = R"(<script>//<![CDATA[
(function () {
  var svg = document.currentScript.parentNode, all = Array.from(svg.querySelectorAll("g.f"));
  var W = 1180, M = 10, C = 6.7, note = svg.querySelector(".hint"), usual = note.textContent;
  function place(g, from, span) {
    var x = (g.dataset.x - from) / span * W + M, w = g.dataset.w / span * W, e = 0.01;
    var outer = w > W + e && x <= M + e && x + w >= M + W - e;
    if (outer) { x = M; w = W; }
    var shown = w >= 0.4 && x < M + W - e && x + w > M + e && (outer || w <= W + e);
    g.style.display = shown ? "" : "none";
    g.classList.toggle("outer", outer);
    if (!shown) return;
    var r = g.querySelector("rect"), t = g.querySelector("text"), n = Math.floor((w - 6) / C), s = g.dataset.n;
    r.setAttribute("x", x); r.setAttribute("width", w);
    t.setAttribute("x", x + 3);
    t.textContent = n < 3 ? "" : s.length <= n ? s : s.slice(0, n - 1) + "\u2026";
  }
  function zoom(g) { all.forEach(function (o) { place(o, +g.dataset.x, +g.dataset.w); }); }
  function search(what) {
    var spans = [];
    all.forEach(function (g) {
      var hit = what && g.dataset.n.toLowerCase().indexOf(what.toLowerCase()) >= 0;
      g.classList.toggle("found", !!hit);
      if (hit) spans.push([+g.dataset.x, +g.dataset.x + +g.dataset.w]);
    });
    var sum = 0, end = 0;
    spans.sort(function (a, b) { return a[0] - b[0]; }).forEach(function (s) {
      sum += Math.max(0, s[1] - Math.max(s[0], end)); end = Math.max(end, s[1]);
    });
    note.textContent = what ? "'" + what + "': " + (100 * sum).toFixed(1) + " %" : usual;
  }
  all.forEach(function (g) { g.addEventListener("click", function () { zoom(g); }); });
  svg.querySelector(".seek").addEventListener("click", function () { search(prompt("Search for (part of a name):") || ""); });
})();
//]]></script>
)";

// Warm and steady: a name has the same colour in every graph.
std::string fill_of(std::string_view name) {
    std::uint32_t hash = 2166136261u;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    if (name.starts_with('[')) return fmt::format("hsl(210 12% {}%)", 74 + hash % 8);
    if (name.ends_with("_[i]")) return fmt::format("hsl({} 55% {}%)", 165 + hash % 25, 68 + (hash >> 8) % 10);
    return fmt::format("hsl({} {}% {}%)", 22 + hash % 28, 72 + (hash >> 8) % 14, 66 + (hash >> 16) % 11);
}

std::string cut_to(const std::string& name, double pixels) {
    const auto columns = static_cast<std::size_t>(std::max(0., (pixels - 6) / char_width));
    if (columns < 3) return {};
    return display_width(name) <= columns ? name : fit_left(name, columns);
}

class Drawing {
public:
    explicit Drawing(const FlameTree& tree) : nodes_(tree.nodes()) {}

    // Depth first; the tree's depth is bounded where it is read.
    void draw(std::size_t index, std::size_t depth, std::uint64_t before) {
        const FlameTree::Node& node = nodes_[index];
        const double whole = static_cast<double>(nodes_[0].value);
        const double part = static_cast<double>(node.value) / whole;
        if (part * (width - 2 * margin) < narrowest) return;
        frames_.push_back({index, depth, static_cast<double>(before) / whole, part});
        deepest_ = std::max(deepest_, depth);
        for (const auto& [name, child] : node.children) {
            draw(child, depth + 1, before);
            before += nodes_[child].value;
        }
    }
    double height() const { return head + static_cast<double>(deepest_ + 1) * row_height + margin; }
    std::string frames() const {
        std::string svg;
        for (const Frame& frame : frames_) append(svg, frame);
        return svg;
    }

private:
    struct Frame {
        std::size_t node, depth;
        double x, part;
    };
    void append(std::string& svg, const Frame& frame) const {
        const FlameTree::Node& node = nodes_[frame.node];
        const double x = margin + frame.x * (width - 2 * margin), w = frame.part * (width - 2 * margin);
        const double y = height() - margin - static_cast<double>(frame.depth + 1) * row_height;
        const std::string name = escape(node.name), safe = markup(node.name);
        svg += fmt::format(
            "<g class=\"f\" data-x=\"{:.8g}\" data-w=\"{:.8g}\" data-n=\"{}\"><title>{} ({}, {})</title>"
            "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" style=\"fill:{}\"/>"
            "<text x=\"{:.2f}\" y=\"{:.1f}\">{}</text></g>\n",
            frame.x, frame.part, safe, safe, node.value, percent(100 * frame.part), x, y, w, row_height - 1,
            fill_of(node.name), x + 3, y + row_height - 5, markup(cut_to(name, w)));
    }
    const std::vector<FlameTree::Node>& nodes_;
    std::vector<Frame> frames_;
    std::size_t deepest_ = 0;
};

}  // namespace

std::string flame_svg(const FlameTree& tree, const std::string& title, bool standalone) {
    Drawing drawing(tree);
    if (tree.nodes()[0].value != 0) drawing.draw(0, 0, 0);
    const double height = drawing.height();
    std::string svg;
    if (standalone) svg += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    svg += fmt::format("<svg class=\"flame\" {}viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
                       standalone ? "xmlns=\"http://www.w3.org/2000/svg\" " : "", width, height, markup(title));
    svg += colors;
    svg += fmt::format("<rect class=\"paper\" width=\"{}\" height=\"{}\"/>\n", width, height);
    svg += fmt::format(
        "<text class=\"head\" x=\"{}\" y=\"22\">{}</text>\n"
        "<text class=\"hint\" x=\"{}\" y=\"22\" text-anchor=\"end\">{}</text>\n",
        margin, markup(title), width - margin - 70,
        tree.nodes()[0].value == 0 ? "no stack in it" : "click a frame to zoom, 'all' to zoom out");
    svg += fmt::format(
        "<text class=\"seek\" x=\"{}\" y=\"22\" text-anchor=\"end\" "
        "style=\"pointer-events:all;cursor:pointer;text-decoration:underline\">search</text>\n",
        width - margin);
    return svg + drawing.frames() + std::string(script) + "</svg>\n";
}

}  // namespace mapaudit::output
