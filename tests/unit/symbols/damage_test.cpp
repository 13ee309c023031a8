// SPDX-License-Identifier: Apache-2.0
//
// Damaged symbol tables, debug and unwind information: shorter or barer stacks, never a hang nor a crash. The damaged
// sections are none that the target itself needs in order to run.
#include <fcntl.h>
#include <gelf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libelf.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "support/audited_run.hpp"
#include "symbols/symbolizer.hpp"
#include "unit/symbols/stopped.hpp"

namespace mapaudit::symbols {
namespace {

struct Section {
    std::string name;
    std::uint64_t offset = 0, size = 0;
};

std::vector<Section> sections_of(const std::string& path) {
    std::vector<Section> sections;
    elf_version(EV_CURRENT);
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    Elf* elf = elf_begin(fd, ELF_C_READ, nullptr);
    std::size_t names = 0;
    elf_getshdrstrndx(elf, &names);
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header;
        gelf_getshdr(section, &header);
        const std::string name = elf_strptr(elf, names, header.sh_name);
        if (name.starts_with(".debug") || name == ".eh_frame" || name == ".symtab" || name == ".strtab")
            sections.push_back({name, header.sh_offset, header.sh_size});
    }
    elf_end(elf);
    ::close(fd);
    return sections;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_program(const std::string& path, const std::string& bytes) {
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

// Rounds of the test: more with MAPAUDIT_DAMAGE_ROUNDS, for a search.
int rounds(int usual) {
    const char* more = std::getenv("MAPAUDIT_DAMAGE_ROUNDS");
    return more == nullptr ? usual : std::atoi(more);
}

void expect_sane(const std::string& program, std::string& seen) {
    Stopped stopped(program);
    auto symbolizer = Symbolizer::make(stopped.pid());
    ASSERT_TRUE(symbolizer);
    CapturedStack captured = stopped.capture();
    const auto chain = stopped.chain(captured);
    captured.frame_pointers = chain;
    const model::Stack stack = (*symbolizer)->resolve(captured);
    EXPECT_GE(stack.frames.size(), 1u);
    EXPECT_LE(stack.frames.size(), 128u * 128u);
    EXPECT_EQ(stack.frames[0].module, "damaged");
    for (const std::string& remark : (*symbolizer)->remarks()) seen += remark + '\n';
}

class Damage : public testing::TestWithParam<const char*> {};

TEST_P(Damage, of_some_bytes) {
    const test::ScratchFolder folder;
    const std::string whole = read_file(target(GetParam())), program = folder.file("damaged");
    const std::vector<Section> sections = sections_of(target(GetParam()));
    ASSERT_GE(sections.size(), 2u);
    std::mt19937_64 random(std::atoi(std::getenv("MAPAUDIT_DAMAGE_SEED") ? std::getenv("MAPAUDIT_DAMAGE_SEED") : "7"));
    std::string remarks;
    for (int round = 0; round < rounds(24); ++round) {
        std::string bytes = whole;
        const Section& section = sections[static_cast<std::size_t>(round) % sections.size()];
        const std::uint64_t flips = 1 + random() % 64;
        for (std::uint64_t i = 0; i < flips; ++i)
            bytes[section.offset + random() % section.size] = static_cast<char>(random());
        write_program(program, bytes);
        SCOPED_TRACE(section.name + ", round " + std::to_string(round));
        expect_sane(program, remarks);
    }
    if (!remarks.empty()) std::cout << remarks;
}

INSTANTIATE_TEST_SUITE_P(Ways, Damage, testing::Values("no_frame_pointers", "dwarf4", "no_pie"),
                         [](const auto& way) { return std::string(way.param); });

// Headers and all: what the target itself needs is in a file of its own.
TEST(Damage, of_a_separate_debug_file) {
    const test::ScratchFolder folder;
    const std::string program = folder.file("damaged"), debug = folder.file("linked_no_frame_pointers.debug");
    const std::string whole = read_file(target("linked_no_frame_pointers.debug"));
    write_program(program, read_file(target("linked_no_frame_pointers")));
    std::mt19937_64 random(7);
    std::string remarks;
    for (int round = 0; round < rounds(60); ++round) {
        std::string bytes = whole;
        const std::size_t from = round % 3 == 0 ? 0 : round % 3 == 1 ? whole.size() - 2400 : 16;
        const std::size_t length = round % 3 == 2 ? 64 : 2400;
        for (std::uint64_t flips = 1 + random() % 16; flips > 0; --flips)
            bytes[from + random() % length] = static_cast<char>(random());
        if (round % 7 == 0) bytes.resize(random() % bytes.size());
        write_program(debug, bytes);
        SCOPED_TRACE("round " + std::to_string(round));
        expect_sane(program, remarks);
    }
    if (!remarks.empty()) std::cout << remarks;
}

TEST(Damage, of_whole_sections) {
    const test::ScratchFolder folder;
    const std::string whole = read_file(target("no_frame_pointers")), program = folder.file("damaged");
    for (const Section& section : sections_of(target("no_frame_pointers")))
        for (const char fill : {'\0', '\xff', '\x01', '\x80'}) {
            std::string bytes = whole;
            bytes.replace(section.offset, section.size, section.size, fill);
            write_program(program, bytes);
            SCOPED_TRACE(section.name);
            std::string remarks;
            expect_sane(program, remarks);
        }
}

// The one child of ours that is no target.
pid_t worker_beside(pid_t target_pid) {
    std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    for (pid_t child = 0; children >> child;)
        if (child != target_pid) return child;
    return 0;
}

TEST(Damage, of_the_worker_itself) {
    Stopped stopped(target("no_frame_pointers"));
    auto symbolizer = Symbolizer::make(stopped.pid(), std::chrono::milliseconds(1000));
    ASSERT_TRUE(symbolizer);
    const CapturedStack captured = stopped.capture();
    const model::Stack before = (*symbolizer)->resolve(captured);
    EXPECT_EQ(before.cut, "");
    for (const int signal : {SIGKILL, SIGSEGV, SIGSTOP}) {
        const pid_t worker = worker_beside(stopped.pid());
        if (worker == 0) GTEST_SKIP() << "this kernel does not list children";
        ::kill(worker, signal);
        EXPECT_EQ((*symbolizer)->resolve(captured), before) << signal;
        EXPECT_NE(worker_beside(stopped.pid()), worker);
    }
    symbolizer->reset();
    EXPECT_EQ(worker_beside(stopped.pid()), 0);  // none is left behind
}

// Links to the kernel that lived on in it would keep an auditor's probes attached.
TEST(Damage, the_worker_keeps_nothing_open_but_the_files) {
    Stopped stopped(target("in_library"));
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    auto symbolizer = Symbolizer::make(stopped.pid());
    ASSERT_TRUE(symbolizer);
    (*symbolizer)->frames_of(0, false);  // it has settled down
    const pid_t worker = worker_beside(stopped.pid());
    if (worker == 0) GTEST_SKIP() << "this kernel does not list children";
    for (const auto& fd : std::filesystem::directory_iterator("/proc/" + std::to_string(worker) + "/fd"))
        EXPECT_EQ(std::filesystem::read_symlink(fd).string().find("pipe:"), std::string::npos);
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace mapaudit::symbols
