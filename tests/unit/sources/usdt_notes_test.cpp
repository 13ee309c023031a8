// SPDX-License-Identifier: Apache-2.0
//
// The probes of a program of ours, and what is said of a file that has none to read.
#include "sources/usdt/usdt_notes.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <mapaudit/probe_abi.h>

#include "support/audited_run.hpp"
#include "unit/sources/elf_file.hpp"

namespace mapaudit::sources {
namespace {

TEST(UsdtNotes, AProgramOfOurs) {
    const auto probes = read_probes(MAPAUDIT_WORKLOAD);
    ASSERT_TRUE(probes) << probes.error().line();
    std::set<std::string> names;
    for (const ProbeSite& site : probes->sites) {
        EXPECT_TRUE(names.insert(site.name).second) << site.name << " twice";
        EXPECT_NE(site.semaphore_offset, 0u) << site.name;
        EXPECT_EQ(site.semaphore_offset % 2, 0u) << site.name;
        EXPECT_LT(site.semaphore_offset, std::filesystem::file_size(MAPAUDIT_WORKLOAD));
    }
    const std::set<std::string> expected{"assign",   "lookup",    "erase",    "batch",    "batch_sampled", "grow",
                                         "evacuate", "contended", "released", "conflict", "create",        "destroy"};
    EXPECT_EQ(names, expected);
    EXPECT_NE(probes->registry_address, 0u);
    EXPECT_NE(probes->first_load_address, 0u);
}

// It said "run as root" of a file that is not there.
TEST(UsdtNotes, AFileThatIsNotThere) {
    const auto probes = read_probes("/nonexistent/program");
    ASSERT_FALSE(probes);
    EXPECT_EQ(probes.error().kind, Failure::failed);
    EXPECT_EQ(probes.error().line(), "cannot open /nonexistent/program: No such file or directory");
}

TEST(UsdtNotes, AFileThatIsNoProgram) {
    const auto probes = read_probes("/etc/passwd");
    ASSERT_FALSE(probes);
    EXPECT_EQ(probes.error().line(), "/etc/passwd is not a 64-bit ELF file");
}

// The program, with `count` copies of its first note behind its end in place of its notes, each of another site.
std::string with_many_sites(std::size_t count) {
    using mapaudit_test::read_at;
    std::ifstream file(MAPAUDIT_WORKLOAD, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t at = mapaudit_test::section_header(bytes, ".note.stapsdt");
    auto section = read_at<Elf64_Shdr>(bytes, at);
    const auto note = read_at<Elf64_Nhdr>(bytes, section.sh_offset);
    const auto up = [](std::size_t length) { return (length + 3) / 4 * 4; };
    const std::size_t descriptor = sizeof note + up(note.n_namesz);
    std::string copy = bytes.substr(section.sh_offset, descriptor + up(note.n_descsz));
    const auto site = read_at<std::uint64_t>(copy, descriptor);
    bytes.resize(up(bytes.size()));
    section.sh_offset = bytes.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t moved = site + i % 1024 - i / 1024 % 64 * 1024;  // still in the code
        std::memcpy(copy.data() + descriptor, &moved, sizeof moved);
        bytes += copy;
    }
    section.sh_size = bytes.size() - section.sh_offset;
    std::memcpy(bytes.data() + at, &section, sizeof section);
    return bytes;
}

// Each new site was compared with all before it: a file of a few megabytes took minutes.
TEST(UsdtNotes, AFileOfManySitesIsReadAndOneOfTooManyIsRefused) {
    const test::ScratchFolder folder;
    const std::string path = folder.file("many");
    std::ofstream(path, std::ios::binary) << with_many_sites(100'000);
    const auto many = read_probes(path);
    ASSERT_TRUE(many) << many.error().line();
    EXPECT_GT(many->sites.size(), 10'000u);
    std::set<std::uint64_t> offsets;
    for (const ProbeSite& site : many->sites) EXPECT_TRUE(offsets.insert(site.offset).second);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << with_many_sites(1'000'000);
    const auto too_many = read_probes(path);
    ASSERT_FALSE(too_many);
    EXPECT_NE(too_many.error().what.find("more notes than a program has"), std::string::npos);
}

}  // namespace
}  // namespace mapaudit::sources
