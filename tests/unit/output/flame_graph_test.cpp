// SPDX-License-Identifier: Apache-2.0
#include "output/flame_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mapaudit::output {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string drawn(const std::string& folded) {
    const auto tree = FlameTree::read(folded, "f.folded");
    EXPECT_TRUE(tree);
    return flame_svg(*tree, "f.folded", true);
}

std::string frames_of(const std::string& svg) {
    const std::size_t begin = svg.find("<g class=\"f\""), end = svg.find("<script>");
    return begin == std::string::npos ? "" : svg.substr(begin, end - begin);
}

// Without the colours, which are a matter of a hash.
std::string places_of(const std::string& svg) {
    std::string frames = frames_of(svg);
    for (std::size_t at = 0; (at = frames.find(" style=\"fill:")) != std::string::npos;)
        frames.erase(at, frames.find('/', at) - at);
    return frames;
}

// 1180 pixels from 10 on, 17 a row, the root at the bottom.
TEST(FlameGraph, golden) {
    EXPECT_EQ(
        places_of(drawn("main;serve;lock 3\nmain;run_[i] 1\n")),
        R"svg(<g class="f" data-x="0" data-w="1" data-n="all"><title>all (4, 100.0 %)</title><rect x="10.00" y="91.0" width="1180.00" height="16.0"/><text x="13.00" y="103.0">all</text></g>
<g class="f" data-x="0" data-w="1" data-n="main"><title>main (4, 100.0 %)</title><rect x="10.00" y="74.0" width="1180.00" height="16.0"/><text x="13.00" y="86.0">main</text></g>
<g class="f" data-x="0" data-w="0.25" data-n="run_[i]"><title>run_[i] (1, 25.0 %)</title><rect x="10.00" y="57.0" width="295.00" height="16.0"/><text x="13.00" y="69.0">run_[i]</text></g>
<g class="f" data-x="0.25" data-w="0.75" data-n="serve"><title>serve (3, 75.0 %)</title><rect x="305.00" y="57.0" width="885.00" height="16.0"/><text x="308.00" y="69.0">serve</text></g>
<g class="f" data-x="0.25" data-w="0.75" data-n="lock"><title>lock (3, 75.0 %)</title><rect x="305.00" y="40.0" width="885.00" height="16.0"/><text x="308.00" y="52.0">lock</text></g>
)svg");
}

TEST(FlameGraph, values_add_up_from_the_root) {
    const auto tree = FlameTree::read("a;b;c 3\na;b 4\na;d 5\nx 1.6\n\na;b;c 2\n", "f");
    ASSERT_TRUE(tree);
    const auto& nodes = tree->nodes();
    EXPECT_EQ(nodes[0].value, 16u);
    const auto& a = nodes[nodes[0].children.at("a")];
    EXPECT_EQ(a.value, 14u);
    const auto& b = nodes[a.children.at("b")];
    EXPECT_EQ(b.value, 9u);
    EXPECT_EQ(nodes[b.children.at("c")].value, 5u);
}

TEST(FlameGraph, what_is_no_folded_stack_and_where) {
    for (const std::string line : {"main", "main x", " 7", "main -7", "main nan", "main 1e300"}) {
        const auto tree = FlameTree::read("main;f 1\n" + line + "\n", "f.folded");
        ASSERT_FALSE(tree) << line;
        EXPECT_EQ(tree.error().line(),
                  "f.folded line 2: no folded stack (frames, a blank, a number) (give a file that --folded wrote)");
    }
    EXPECT_TRUE(looks_like_folded("\n\nmain;f(int, char) 17\r\n"));
    EXPECT_FALSE(looks_like_folded("time,calls\n1,2\n"));
    EXPECT_FALSE(looks_like_folded(""));
}

TEST(FlameGraph, names_cannot_leave_their_place) {
    const std::string svg = drawn("</title><script>alert(1)</script>;\"'&]]> 7\n");
    EXPECT_THAT(frames_of(svg), Not(HasSubstr("<script>")));
    EXPECT_THAT(svg, HasSubstr("<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt; (7, 100.0 %)</title>"));
    EXPECT_THAT(svg, HasSubstr("data-n=\"&quot;&#39;&amp;]]&gt;\""));
}

TEST(FlameGraph, endless_depth_is_bounded_and_nothing_is_a_picture_too) {
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += "f;";
    const auto tree = FlameTree::read(deep + "g 7\n", "f");
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->nodes().size(), 257u);
    EXPECT_THAT(drawn(deep + "g 7\n"), HasSubstr("</svg>"));
    EXPECT_THAT(drawn(""), HasSubstr("no stack in it"));
}

TEST(FlameGraph, a_file_of_its_own_has_a_namespace_and_needs_no_network) {
    const std::string svg = drawn("main 1\n");
    EXPECT_THAT(svg, StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg class=\"flame\" "
                                "xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1200 "));
    EXPECT_EQ(svg.find("http", svg.find("http") + 4), std::string::npos);
    const auto tree = FlameTree::read("main 1\n", "f");
    EXPECT_THAT(flame_svg(*tree, "t", false), StartsWith("<svg class=\"flame\" viewBox"));
}

}  // namespace
}  // namespace mapaudit::output
