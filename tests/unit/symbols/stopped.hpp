// SPDX-License-Identifier: Apache-2.0
//
// A target of targets/, stopped in its innermost function, and its stack as an event would have captured it.
#pragma once

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "model/stack.hpp"
#include "support/child.hpp"
#include "symbols/captured_stack.hpp"

namespace mapaudit::symbols {

inline std::string target(const std::string& name) { return std::string(SYMBOL_TARGETS) + "/" + name; }

// The line of chain.cpp that is marked "line: <mark>".
inline std::uint32_t line_of(const std::string& mark) {
    std::ifstream source(std::string(MAPAUDIT_TEST_DATA) + "/targets/chain.cpp");
    std::string line;
    for (std::uint32_t number = 1; std::getline(source, line); ++number)
        if (line.ends_with("// line: " + mark)) return number;
    return 0;
}

// Copies a thread in a ptrace stop as the eBPF side would: registers, and `bytes` of the stack upward from sp.
inline CapturedStack capture(pid_t thread, std::size_t bytes, std::vector<std::byte>& memory) {
    CapturedStack captured;
#if defined(__x86_64__)
    user_regs_struct r{};
    EXPECT_EQ(::ptrace(PTRACE_GETREGS, thread, nullptr, &r), 0);
    captured.ip = r.rip;
    captured.sp = r.rsp;
    captured.bp = r.rbp;
    captured.saved = {r.rbx, r.r12, r.r13, r.r14, r.r15};
#endif
    memory.resize(bytes);
    const iovec local{memory.data(), bytes};
    const iovec remote{reinterpret_cast<void*>(captured.sp), bytes};
    const ssize_t copied = ::process_vm_readv(thread, &local, 1, &remote, 1, 0);
    memory.resize(copied < 0 ? 0 : static_cast<std::size_t>(copied));
    captured.memory = memory;
    return captured;
}

class Stopped {
public:
    explicit Stopped(const std::string& program) : Stopped(std::vector<std::string>{program}) {}
    explicit Stopped(const std::vector<std::string>& command) : child_(command) { wait_for_stop(); }
    // For a program that still has to be told, on its standard input, to run into its stop.
    Stopped(const std::vector<std::string>& command, const std::string& ready)
        : child_(command, test::Child::Input::pipe) {
        EXPECT_TRUE(child_.wait_for(ready)) << child_.err();
    }
    void go_on() {
        child_.write_line("");
        wait_for_stop();
    }
    // On to the next stop, with a signal delivered.
    void continue_with(int signal) {
        EXPECT_EQ(::ptrace(PTRACE_CONT, pid(), nullptr, signal), 0);
        wait_for_stop();
    }
    pid_t pid() const { return child_.pid(); }
    void end() {
        child_.send(SIGKILL);
        child_.finish();
    }

    CapturedStack capture(std::size_t bytes = 16384) { return symbols::capture(pid(), bytes, memory_); }
    // The chain of frame pointers, as the kernel walks it.
    std::vector<std::uint64_t> chain(const CapturedStack& captured) const {
        std::vector<std::uint64_t> addresses{captured.ip};
        std::uint64_t frame[2], at = captured.bp, below = captured.sp;
        while (at >= below && addresses.size() < 127 && read(at, frame)) {
            addresses.push_back(frame[1]);
            below = at + 1;
            at = frame[0];
        }
        return addresses;
    }

private:
    void wait_for_stop() {
        int status = 0;
        EXPECT_TRUE(::waitpid(pid(), &status, WUNTRACED) == pid() && WIFSTOPPED(status)) << "did not stop";
    }
    bool read(std::uint64_t at, std::uint64_t (&frame)[2]) const {
        const iovec local{frame, sizeof frame};
        const iovec remote{reinterpret_cast<void*>(at), sizeof frame};
        return ::process_vm_readv(pid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(sizeof frame);
    }
    test::Child child_;
    std::vector<std::byte> memory_;
};

// "function line[i]" of every frame up to main.
inline std::vector<std::string> shown(const model::Stack& stack) {
    std::vector<std::string> lines;
    for (const model::Frame& frame : stack.frames) {
        std::string line = frame.function.empty() ? frame.module + "+" : frame.function;
        if (frame.line != 0) line += " " + std::to_string(frame.line);
        lines.push_back(line + (frame.inlined ? " [i]" : ""));
        if (frame.function == "main") break;
    }
    return lines;
}

}  // namespace mapaudit::symbols
