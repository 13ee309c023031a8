// SPDX-License-Identifier: Apache-2.0
#include "symbols/symbolizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "support/audited_run.hpp"
#include "unit/symbols/stopped.hpp"

namespace mapaudit::symbols {
namespace {

using test::ScratchFolder;
using testing::ElementsAreArray;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
namespace files = std::filesystem;

std::string at(const std::string& mark) { return " " + std::to_string(line_of(mark)); }

std::vector<std::string> whole_chain() {
    return {"shop::stop_here(long*)" + at("stop"),
            "int shop::Basket::add<int>(int const&)" + at("add"),
            "shop::(anonymous namespace)::hidden(shop::Basket&, int)" + at("hidden"),
            "shop::(anonymous namespace)::discount" + at("discount") + " [i]",
            "shop::serve(int)" + at("serve"),
            "run_shop::{lambda(int)#1}::operator()(int) const" + at("lambda"),
            "run_shop" + at("run"),
            "main 5"};
}

std::unique_ptr<Symbolizer> symbolizer_of(const Stopped& stopped) {
    auto made = Symbolizer::make(stopped.pid());
    EXPECT_TRUE(made);
    return std::move(*made);
}

model::Stack stack_of(const std::string& program) {
    Stopped stopped(program);
    return symbolizer_of(stopped)->resolve(stopped.capture());
}

class Built : public testing::TestWithParam<const char*> {};

TEST_P(Built, is_walked_and_named_to_its_end) {
    const model::Stack stack = stack_of(target(GetParam()));
    EXPECT_THAT(shown(stack), ElementsAreArray(whole_chain()));
    EXPECT_EQ(stack.cut, "");
    EXPECT_EQ(stack.frames.back().function, "_start");
    EXPECT_THAT(stack.frames[0].file, EndsWith("symbols/targets/chain.cpp"));
    EXPECT_THAT(stack.frames[3].file, EndsWith("symbols/targets/chain.cpp"));
}

INSTANTIATE_TEST_SUITE_P(Ways, Built,
                         testing::Values("frame_pointers", "no_frame_pointers", "no_pie", "dwarf4", "in_library", "lto",
                                         "compressed", "split", "linked_no_build_id", "linked_no_frame_pointers"),
                         [](const auto& way) { return std::string(way.param); });

TEST(Symbolizer, code_of_clang_that_has_no_table_of_address_ranges) {
    if (::access(target("clang").c_str(), X_OK) != 0) GTEST_SKIP() << "no clang++ here";
    std::vector<std::string> expected = whole_chain();
    expected[3] = "shop::(anonymous namespace)::discount(shop::Basket&, int)" + at("discount") + " [i]";
    expected[5] = "run_shop::$_0::operator()(int) const" + at("lambda");
    EXPECT_THAT(shown(stack_of(target("clang"))), ElementsAreArray(expected));
}

TEST(Symbolizer, without_debug_information_the_symbols) {
    const model::Stack stack = stack_of(target("symbols_only"));
    std::vector<std::string> expected{"shop::stop_here(long*)",
                                      "int shop::Basket::add<int>(int const&)",
                                      "shop::(anonymous namespace)::hidden(shop::Basket&, int)",
                                      "shop::serve(int)",
                                      "run_shop::{lambda(int)#1}::operator()(int) const",
                                      "run_shop",
                                      "main"};
    EXPECT_THAT(shown(stack), ElementsAreArray(expected));
    EXPECT_EQ(stack.cut, "");
}

// The offsets are those that nm and addr2line go by.
TEST(Symbolizer, without_symbols_module_and_offset) {
    const model::Stack stack = stack_of(target("stripped"));
    const model::Stack named = stack_of(target("symbols_only"));
    ASSERT_GT(stack.frames.size(), 7u);
    EXPECT_EQ(stack.cut, "");
    for (std::size_t i = 0; i < 7; ++i) {
        EXPECT_EQ(stack.frames[i].function, "");
        EXPECT_EQ(stack.frames[i].module, "stripped");
        EXPECT_EQ(stack.frames[i].offset, named.frames[i].offset);
        EXPECT_LT(stack.frames[i].offset, 0x10000u);
    }
}

TEST(Symbolizer, frame_pointers_where_there_is_no_unwind_information) {
    Stopped stopped(target("no_unwind_info"));
    auto symbolizer = symbolizer_of(stopped);
    CapturedStack captured = stopped.capture();
    const auto chain = stopped.chain(captured);
    captured.frame_pointers = chain;
    EXPECT_THAT(shown(symbolizer->resolve(captured)), ElementsAreArray(whole_chain()));
}

TEST(Symbolizer, frame_pointers_alone_where_there_is_no_copy) {
    Stopped stopped(target("frame_pointers"));
    auto symbolizer = symbolizer_of(stopped);
    CapturedStack captured = stopped.capture();
    const auto chain = stopped.chain(captured);
    captured.frame_pointers = chain;
    captured.memory = {};
    EXPECT_THAT(shown(symbolizer->resolve(captured)), ElementsAreArray(whole_chain()));
    std::string cut = "?";
    EXPECT_EQ(symbolizer->unwind(captured, cut).size(),
              symbolizer->resolve(captured).frames.size() - 1);  // one inlined
    EXPECT_EQ(cut, symbolizer->resolve(captured).cut);
}

TEST(Symbolizer, neither_way_a_short_stack_and_why) {
    Stopped stopped(target("no_unwind_info_no_frame_pointers"));
    auto symbolizer = symbolizer_of(stopped);
    CapturedStack captured = stopped.capture();
    const model::Stack stack = symbolizer->resolve(captured);
    EXPECT_THAT(shown(stack), ElementsAreArray({"shop::stop_here(long*)"}));
    EXPECT_EQ(stack.cut, "no unwind information in no_unwind_info_no_frame_pointers");
    captured.memory = {};
    EXPECT_EQ(symbolizer->resolve(captured).cut, "no copy of the stack");
}

TEST(Symbolizer, a_copy_that_ends_early) {
    Stopped stopped(target("no_frame_pointers"));
    auto symbolizer = symbolizer_of(stopped);
    CapturedStack captured = stopped.capture(120);
    const model::Stack stack = symbolizer->resolve(captured);
    EXPECT_GT(stack.frames.size(), 1u);
    EXPECT_LT(stack.frames.size(), whole_chain().size());
    const std::vector<std::string> lines = shown(stack), whole = whole_chain();
    EXPECT_TRUE(std::equal(lines.begin(), lines.end(), whole.begin()));
    EXPECT_EQ(stack.cut, "the copy of the stack ends here");
    EXPECT_EQ(symbolizer->resolve(stopped.capture(0)).frames.size(), 1u);
    EXPECT_EQ(symbolizer->resolve(stopped.capture(7)).frames.size(), 1u);
}

TEST(Symbolizer, walk_and_names_apart) {
    Stopped stopped(target("no_frame_pointers"));
    auto symbolizer = symbolizer_of(stopped);
    std::string cut = "?";
    const auto addresses = symbolizer->unwind(stopped.capture(), cut);
    EXPECT_EQ(cut, "");
    std::vector<model::Frame> frames;
    for (std::size_t i = 0; i < addresses.size(); ++i)
        for (const auto& frame : symbolizer->frames_of(addresses[i], i > 0)) frames.push_back(frame);
    EXPECT_THAT(shown({frames, cut}), ElementsAreArray(whole_chain()));
}

TEST(Symbolizer, a_recursion_ends_at_the_limit) {
    const model::Stack stack = [] {
        Stopped stopped(target("recursive"));
        return symbolizer_of(stopped)->resolve(stopped.capture(128 << 10));
    }();
    EXPECT_EQ(stack.frames.size(), 128u);
    EXPECT_EQ(stack.cut, "deeper than 128 frames");
    EXPECT_EQ(stack.frames.back().function, "dig(int)");
}

// The frames of one call, over and over: each points its caller's frame at itself.
TEST(Symbolizer, a_stack_that_loops_ends) {
    Stopped stopped(target("frame_pointers"));
    auto symbolizer = symbolizer_of(stopped);
    CapturedStack captured = stopped.capture();
    std::vector<std::byte> memory(captured.memory.begin(), captured.memory.end());
    for (std::size_t at = 0; at + 8 <= memory.size(); at += 8) {
        std::uint64_t word;
        std::memcpy(&word, &memory[at], 8);
        if (word < captured.sp || word >= captured.sp + memory.size()) continue;
        std::memcpy(&memory[at], &captured.bp, 8);  // every saved frame pointer: the innermost frame
    }
    captured.memory = memory;
    const model::Stack stack = symbolizer->resolve(captured);
    EXPECT_NE(stack.cut, "");
    EXPECT_EQ(stack.cut, "the stack loops");
    EXPECT_LT(stack.frames.size(), 140u);

    const std::vector<std::uint64_t> chain(5000, stack.frames.size() > 1 ? captured.ip + 1 : captured.ip);
    captured.memory = {};
    captured.frame_pointers = chain;
    EXPECT_EQ(symbolizer->resolve(captured).frames.size(), 128u);
}

TEST(Symbolizer, random_registers_and_stacks_do_no_harm) {
    Stopped stopped(target("no_frame_pointers"));
    auto symbolizer = symbolizer_of(stopped);
    std::uint64_t seed = 12345;
    for (int round = 0; round < 200; ++round) {
        CapturedStack captured = stopped.capture(4096);
        std::vector<std::byte> memory(captured.memory.begin(), captured.memory.end());
        for (int i = 0; i < 1 + round % 40; ++i) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const std::size_t at = (seed >> 20) % (memory.size() - 8);
            const std::uint64_t words[] = {seed, captured.ip, captured.sp + (seed >> 40) % 4096, 0, ~0ull};
            std::memcpy(&memory[at & ~std::size_t{7}], &words[(seed >> 33) % 5], 8);
        }
        captured.memory = memory;
        if (round % 3 == 0) captured.ip += seed % 64;
        if (round % 5 == 0) captured.bp = seed;
        const model::Stack stack = symbolizer->resolve(captured);
        EXPECT_GE(stack.frames.size(), 1u);
        EXPECT_LE(stack.frames.size(), 600u);
    }
    EXPECT_THAT(symbolizer->remarks(), IsEmpty());
}

TEST(Symbolizer, addresses_in_no_file) {
    Stopped stopped(target("no_frame_pointers"));
    auto symbolizer = symbolizer_of(stopped);
    for (const std::uint64_t address : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x1000}, ~std::uint64_t{0}})
        for (const bool is_return_address : {false, true}) {
            const auto frames = symbolizer->frames_of(address, is_return_address);
            ASSERT_EQ(frames.size(), 1u);
            EXPECT_EQ(frames[0].function, "");
            EXPECT_EQ(frames[0].module, "");
        }
    CapturedStack captured = stopped.capture();
    captured.ip = captured.sp;
    EXPECT_EQ(symbolizer->resolve(captured).cut, "code in no file (generated at run time?)");
}

TEST(Symbolizer, a_file_deleted_after_the_start) {
    const ScratchFolder folder;
    files::copy_file(target("no_frame_pointers"), folder.file("gone"));
    Stopped stopped(folder.file("gone"));
    files::remove(folder.file("gone"));
    const model::Stack stack = symbolizer_of(stopped)->resolve(stopped.capture());
    EXPECT_THAT(shown(stack), ElementsAreArray(whole_chain()));
    EXPECT_EQ(stack.frames[0].module, "gone");
}

TEST(Symbolizer, a_file_replaced_on_disk) {
    const ScratchFolder folder;
    for (const char* old : {"no_frame_pointers", "no_build_id", "linked_no_build_id"}) {
        files::copy_file(target(old), folder.file("program"), files::copy_options::overwrite_existing);
        Stopped stopped(folder.file("program"));
        files::copy_file(target("recursive"), folder.file("new"), files::copy_options::overwrite_existing);
        files::rename(folder.file("new"), folder.file("program"));
        const model::Stack stack = symbolizer_of(stopped)->resolve(stopped.capture());
        if (std::string(old) != "linked_no_build_id") {
            EXPECT_THAT(shown(stack), ElementsAreArray(whole_chain()));
        }
        for (const model::Frame& frame : stack.frames) EXPECT_THAT(frame.function, testing::Not(HasSubstr("dig")));
    }
}

TEST(Symbolizer, a_debug_file_of_another_build_is_not_believed) {
    const ScratchFolder folder;
    for (const char* way : {"linked_no_build_id", "linked_no_frame_pointers"}) {
        files::copy_file(target(way), folder.file(way));
        files::copy_file(target("recursive"), folder.file(std::string(way) + ".debug"));
        Stopped stopped(folder.file(way));
        const model::Stack stack = symbolizer_of(stopped)->resolve(stopped.capture());
        EXPECT_EQ(stack.frames[0].function, "") << way;
        EXPECT_EQ(stack.frames[0].line, 0u);
    }
}

TEST(Symbolizer, names_outlive_the_target) {
    Stopped stopped(target("in_library"));
    auto symbolizer = symbolizer_of(stopped);
    const CapturedStack captured = stopped.capture();
    stopped.end();
    symbolizer->refresh();
    EXPECT_THAT(shown(symbolizer->resolve(captured)), ElementsAreArray(whole_chain()));
}

TEST(Symbolizer, a_library_loaded_later) {
    Stopped stopped({target("loads_later"), target("libchain.so")}, "ready");
    auto symbolizer = symbolizer_of(stopped);
    EXPECT_EQ(symbolizer->frames_of(0, false)[0].module, "");
    stopped.go_on();
    const CapturedStack captured = stopped.capture();
    std::vector<std::string> expected = whole_chain();
    expected.back() = "main 14";
    EXPECT_THAT(shown(symbolizer->resolve(captured)), ElementsAreArray(expected));
}

// The interrupted instruction is looked up as it is, not as if a call stood before it.
TEST(Symbolizer, a_signal_in_the_midst_of_a_function) {
    Stopped stopped(target("interrupted"));  // at the fault,
    stopped.continue_with(SIGSEGV);          // in its handler
    const model::Stack stack = symbolizer_of(stopped)->resolve(stopped.capture());
    std::vector<std::string> lines = shown(stack);
    EXPECT_EQ(stack.cut, "");
    ASSERT_GE(lines.size(), 4u);
    const auto handler = std::find_if(lines.begin(), lines.end(), [](auto& l) { return l == "on_signal 9"; });
    ASSERT_NE(handler, lines.end()) << testing::PrintToString(lines);
    EXPECT_THAT(std::vector<std::string>(handler + 2, lines.end()), testing::ElementsAre("busy 14", "main 23"));
}

// The inlined copy of a lambda has no linkage name, and its class no name at all.
TEST(Symbolizer, an_inlined_lambda) {
    const model::Stack stack = stack_of(target("lambda"));
    std::vector<std::string> lines = shown(stack);
    ASSERT_GE(lines.size(), 4u);
    lines.erase(lines.begin());  // kill
    EXPECT_THAT(lines, testing::ElementsAre("stop(int) 10", "main::{lambda}::operator() 24 [i]",
                                            "int call<main::{lambda(int)#1}>(main::{lambda(int)#1}) 17", "main 23"));
}

// A thread's stack ends where the thread began.
TEST(Symbolizer, threads_of_the_workload_driver) {
    test::Child workload(
        {MAPAUDIT_WORKLOAD, "--map", "mutex_map", "--threads", "3", "--duration", "60", "--rate", "10"});
    std::vector<pid_t> threads;
    while (threads.size() < 4) {
        threads.clear();
        for (const auto& task : files::directory_iterator("/proc/" + std::to_string(workload.pid()) + "/task"))
            threads.push_back(std::stoi(task.path().filename()));
    }
    auto symbolizer = Symbolizer::make(workload.pid());
    ASSERT_TRUE(symbolizer);
    for (const pid_t tid : threads) {
        ASSERT_EQ(::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr), 0);
        ASSERT_EQ(::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(tid, &status, __WALL), tid);
        std::vector<std::byte> memory;
        (*symbolizer)->refresh();
        const model::Stack stack = (*symbolizer)->resolve(capture(tid, 65536, memory));
        EXPECT_EQ(stack.cut, "") << testing::PrintToString(shown(stack));
        EXPECT_THAT(stack.frames.back().function, testing::AnyOf("_start", "__clone3", "clone3", "__clone", "clone"));
        ::ptrace(PTRACE_DETACH, tid, nullptr, nullptr);
    }
}

// Where neither /proc/PID/exe nor map_files may be opened, this vouches for a file found by name.
TEST(MappedFiles, the_build_id_in_memory) {
    for (const auto& [program, bytes] : {std::pair("no_frame_pointers", 20u), {"no_pie", 20u}, {"no_build_id", 0u}}) {
        Stopped stopped(target(program));
        const auto process = Process::open(stopped.pid());
        ASSERT_TRUE(process);
        const auto mappings = process->mappings();
        ASSERT_TRUE(mappings);
        EXPECT_EQ(build_id_in_memory(*process, mappings->front().start).size(), bytes) << program;
        EXPECT_TRUE(build_id_in_memory(*process, 0x1000).empty());
    }
}

TEST(Symbolizer, another_mount_namespace) {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    const ScratchFolder folder;
    const std::string inside = folder.file("inside");
    files::create_directory(inside);
    const std::string script = "mount -t tmpfs none " + inside + " && cp " + target("linked_no_build_id") + " " +
                               target("linked_no_build_id.debug") + " " + inside + " && exec " + inside +
                               "/linked_no_build_id";
    test::Child probe({"unshare", "-m", "true"});
    if (probe.finish().exit_code != 0) GTEST_SKIP() << "no mount namespaces here";
    Stopped stopped({"unshare", "-m", "sh", "-c", script});
    ASSERT_FALSE(files::exists(inside + "/linked_no_build_id"));
    EXPECT_THAT(shown(symbolizer_of(stopped)->resolve(stopped.capture())), ElementsAreArray(whole_chain()));
}

TEST(Symbolizer, no_such_process) {
    test::Child child({"true"});
    const pid_t pid = child.pid();
    child.finish();
    const auto made = Symbolizer::make(pid);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, Failure::no_target);
}

// Debug files of the distribution, by build id under /usr/lib/debug, where somebody installed them.
TEST(Symbolizer, debug_files_by_build_id) {
    Stopped stopped(target("no_frame_pointers"));
    const model::Stack stack = symbolizer_of(stopped)->resolve(stopped.capture());
    const auto start = std::find_if(stack.frames.begin(), stack.frames.end(),
                                    [](const model::Frame& f) { return f.function.starts_with("__libc_start"); });
    if (start == stack.frames.end() || start->line == 0) GTEST_SKIP() << "no debug information of the C library here";
    EXPECT_THAT(start->file, HasSubstr("libc"));
}

}  // namespace
}  // namespace mapaudit::symbols
