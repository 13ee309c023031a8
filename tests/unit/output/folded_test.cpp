// SPDX-License-Identifier: Apache-2.0
#include "output/folded.hpp"

#include <gtest/gtest.h>

#include "unit/output/files.hpp"

namespace mapaudit::output {
namespace {

model::Frame frame(const std::string& function, bool inlined = false) {
    model::Frame made;
    made.function = function;
    made.module = "server";
    made.inlined = inlined;
    return made;
}

const model::Stack whole{{frame("shop::lock()"), frame("add", true), frame("serve(int, char)"), frame("main")}, ""};
const model::Stack cut{{frame("lock"), {"", "", 0, "libfoo.so", 0x1234, false}, {"", "", 0, "", 0x7f0012, false}},
                       "no unwind information in libfoo.so"};

TEST(Folded, golden) {
    const FoldedStack stacks[] = {{{"users", "wait"}, &whole, 17}, {{"users", "wait"}, &cut, 3}, {{}, &whole, 1}};
    EXPECT_EQ(folded_text(stacks),
              "main;serve(int, char);add_[i];shop::lock() 1\n"
              "users;wait;[no unwind information in libfoo.so];[unknown];libfoo.so+0x1234;lock 3\n"
              "users;wait;main;serve(int, char);add_[i];shop::lock() 17\n");
}

TEST(Folded, stacks_that_look_alike_are_one_line) {
    std::vector<model::Frame> other_lines = whole.frames.all();
    for (model::Frame& f : other_lines) f.line += 7;
    const model::Stack elsewhere{other_lines, whole.cut};
    const FoldedStack stacks[] = {{{"m"}, &whole, 2}, {{"m"}, &elsewhere, 40}, {{"m"}, &cut, 0}};
    EXPECT_EQ(folded_text(stacks), "m;main;serve(int, char);add_[i];shop::lock() 42\n");
}

TEST(Folded, no_name_breaks_a_line_or_a_frame) {
    const model::Stack nasty{{frame("a;b\n7"), frame("\x1b[2J"), frame("\xff")}, "x;y"};
    const FoldedStack stacks[] = {{{"ma;p\r\n", ""}, &nasty, 5}};
    EXPECT_EQ(folded_text(stacks), "ma\\x3bp\\x0d\\x0a;[unknown];[x\\x3by];\xef\xbf\xbd;\\x1b[2J;a\\x3bb\\x0a7 5\n");
}

TEST(Folded, nothing_is_an_empty_file) {
    EXPECT_EQ(folded_text({}), "");
    const FoldedStack nameless[] = {{{}, nullptr, 5}};
    EXPECT_EQ(folded_text(nameless), "");
}

TEST(Folded, the_file_is_made_at_once_and_written_at_the_end) {
    const TempFolder folder;
    const std::string path = folder / "out.folded";
    std::ofstream(path) << "old";
    auto file = FoldedFile::make(path);
    ASSERT_TRUE(file);
    EXPECT_EQ(content_of(path), "");
    const FoldedStack stacks[] = {{{"m"}, nullptr, 5}};
    ASSERT_TRUE(file->write(stacks));
    EXPECT_EQ(content_of(path), "m 5\n");
    EXPECT_FALSE(FoldedFile::make(folder / "no/such/file"));
}

}  // namespace
}  // namespace mapaudit::output
