// SPDX-License-Identifier: Apache-2.0
//
// A file is parsed once while it stays what it is, whatever it is called.
#include "util/parsed_files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/audited_run.hpp"

namespace mapaudit {
namespace {

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// Parses a file into its text, and counts how often.
class Texts {
public:
    std::shared_ptr<const std::string> of(const std::string& path) {
        const auto fd = open_to_read(path);
        EXPECT_TRUE(fd) << fd.error().line();
        auto text = files_.get(fd->get(), [&]() -> Result<std::string> {
            ++parsed;
            std::ifstream file(path);
            std::string all{std::istreambuf_iterator<char>(file), {}};
            if (all == "damaged") return Error::of(Failure::failed, path + " is damaged");
            return all;
        });
        return text ? *text : nullptr;
    }
    std::size_t size() const { return files_.size(); }

    int parsed = 0;

private:
    ParsedFiles<std::string> files_;
};

TEST(ParsedFiles, OneFileIsParsedOnceByAnyName) {
    const test::ScratchFolder folder;
    write_file(folder.file("a"), "one");
    std::filesystem::create_hard_link(folder.file("a"), folder.file("b"));
    std::filesystem::create_symlink(folder.file("a"), folder.file("c"));
    Texts texts;
    const auto first = texts.of(folder.file("a"));
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(*first, "one");
    for (const char* name : {"a", "b", "c"}) EXPECT_EQ(texts.of(folder.file(name)), first) << name;
    EXPECT_EQ(texts.parsed, 1);
    EXPECT_EQ(texts.size(), 1u);
}

TEST(ParsedFiles, TwoFilesOfOneContentAreTwo) {
    const test::ScratchFolder folder;
    write_file(folder.file("a"), "one");
    write_file(folder.file("b"), "one");
    Texts texts;
    EXPECT_NE(texts.of(folder.file("a")), texts.of(folder.file("b")));
    EXPECT_EQ(texts.parsed, 2);
}

TEST(ParsedFiles, AReplacedFileIsParsedAnew) {
    const test::ScratchFolder folder;
    write_file(folder.file("a"), "one");
    write_file(folder.file("new"), "two");  // of the same size
    Texts texts;
    const auto before = texts.of(folder.file("a"));
    std::filesystem::rename(folder.file("new"), folder.file("a"));
    const auto after = texts.of(folder.file("a"));
    ASSERT_TRUE(before != nullptr && after != nullptr);
    EXPECT_EQ(*before, "one") << "who holds it keeps it";
    EXPECT_EQ(*after, "two");
    EXPECT_EQ(texts.parsed, 2);
}

TEST(ParsedFiles, AFileWrittenOverInPlaceIsParsedAnew) {
    const test::ScratchFolder folder;
    const std::string path = folder.file("a");
    write_file(path, "one");
    Texts texts;
    EXPECT_EQ(*texts.of(path), "one");
    write_file(path, "other");
    EXPECT_EQ(*texts.of(path), "other");
    // The size stays. The time of its last change is set: it need not have moved on by itself in between.
    write_file(path, "third");
    const timespec times[2] = {{1, 0}, {1, 7}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    EXPECT_EQ(*texts.of(path), "third");
    EXPECT_EQ(texts.parsed, 3);
}

TEST(ParsedFiles, AnErrorIsNotKept) {
    const test::ScratchFolder folder;
    write_file(folder.file("a"), "damaged");
    Texts texts;
    EXPECT_EQ(texts.of(folder.file("a")), nullptr);
    EXPECT_EQ(texts.of(folder.file("a")), nullptr);
    EXPECT_EQ(texts.parsed, 2);
    EXPECT_EQ(texts.size(), 0u);
}

TEST(OpenToRead, AFileThatIsNotThereNeedsNoRights) {
    const auto fd = open_to_read("/nonexistent/file");
    ASSERT_FALSE(fd);
    EXPECT_EQ(fd.error().kind, Failure::failed);
    EXPECT_EQ(fd.error().line(), "cannot open /nonexistent/file: No such file or directory");
}

TEST(OpenToRead, OneThatMayNotBeReadDoes) {
    const test::ScratchFolder folder;
    const std::string path = folder.file("a");
    write_file(path, "one");
    ASSERT_EQ(::chmod(path.c_str(), 0), 0);
    const bool root = ::geteuid() == 0;  // may read it all the same
    if (root) {
        ASSERT_EQ(::seteuid(65534), 0);
    }
    const auto fd = open_to_read(path);
    if (root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    ASSERT_FALSE(fd);
    EXPECT_EQ(fd.error().kind, Failure::not_permitted);
    EXPECT_EQ(fd.error().remedy, "run as root, or with CAP_SYS_PTRACE");
}

}  // namespace
}  // namespace mapaudit
