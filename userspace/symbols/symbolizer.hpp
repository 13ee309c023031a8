// SPDX-License-Identifier: Apache-2.0
//
// Walks and names the stacks of one process: functions, files, lines, inlined frames. Names are right also for files
// that were stripped, replaced, deleted, or lie in another mount namespace: what is read is what is mapped.
//
// The target's files are read in a worker process of our own: they are the target's to write, and parsers of debug
// information and mangled names have a history of crashing, hanging and devouring memory on damaged ones. A worker that
// does is replaced, and its successor leaves out what it died of; the worst case is module+offset.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/stack.hpp"
#include "symbols/captured_stack.hpp"
#include "symbols/mapped_files.hpp"
#include "symbols/worker.hpp"
#include "util/process.hpp"
#include "util/result.hpp"

namespace mapaudit::symbols {

// Not thread safe. What is mapped is opened at make(), at refresh(), and when a walk comes to code that was mapped
// since (at most once a second); it stays open: names resolve after the target has ended, too.
class Symbolizer {
public:
    // The longest that one question may take before the worker is given up: the debug information of a browser takes
    // seconds to open.
    static constexpr std::chrono::milliseconds usual_patience{30'000};

    // Fails where there is no such process, or it may not be looked into.
    static Result<std::unique_ptr<Symbolizer>> make(int pid, std::chrono::milliseconds patience = usual_patience);

    // Walks and names in one go.
    model::Stack resolve(const CapturedStack& captured);
    // The frames at an address, innermost first: the inlined ones and the function that they are inlined into; never
    // empty. A return address is looked up one byte earlier, in the call that it returns from.
    std::vector<model::Frame> frames_of(std::uint64_t address, bool is_return_address);
    // Walks only: ip, then return addresses, innermost first, 128 at most. By call frame information where there is a
    // copy of the stack, by frame pointers where that fails. `cut` says why outer frames are missing; empty: none are.
    std::vector<std::uint64_t> unwind(const CapturedStack& captured, std::string& cut);

    // Opens what the target has mapped since. A target that has ended keeps what is known.
    void refresh();

    // What had to be left out, a line each: "the debug information of libfoo.so is damaged". Text from the target:
    // escape before printing.
    const std::vector<std::string>& remarks() const { return remarks_; }

private:
    Symbolizer(Process process, std::chrono::milliseconds patience)
        : process_(std::move(process)), patience_(patience) {}
    Result<void> start_worker();
    bool open_new_files();
    bool may_be_new_code(const std::string& cut);
    std::string ask(const std::string& request);
    void distrust(const Worker::Position& died_at);

    Process process_;
    std::chrono::milliseconds patience_;
    MappedFiles files_;
    std::unique_ptr<Worker> worker_;  // none: the next question starts one
    std::size_t failures_ = 0;
    std::chrono::steady_clock::time_point looked_for_new_code_{};
    std::vector<std::string> remarks_;
};

}  // namespace mapaudit::symbols
