// SPDX-License-Identifier: Apache-2.0
//
// Folded stacks, as flamegraph.pl, inferno and speedscope read them: "outermost;...;innermost count", a line a stack.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/stack.hpp"
#include "output/file.hpp"

namespace mapaudit::output {

struct FoldedStack {
    std::vector<std::string> prefix;  // frames of ours outside the outermost: the map, "wait"
    const model::Stack* stack = nullptr;
    std::uint64_t value = 0;  // in whatever unit the file is about; lines of 0 are left out
};

// What a frame is called: its function, "libfoo.so+0x1234" without a symbol, "[unknown]" where it is in no file;
// escaped.
std::string frame_name(const model::Frame& frame);

// One line for all stacks that look alike, in the order of their text. Inlined frames end with "_[i]", as perf marks
// them. A stack that was cut begins with the reason, in brackets, so that it stands beside the whole ones.
std::string folded_text(std::span<const FoldedStack> stacks);

class FoldedFile {
public:
    // Makes or empties the file ("-": standard output), before anything is attached.
    static Result<FoldedFile> make(const std::string& path);

    // The whole content; to be called once, at the end of the run.
    [[nodiscard]] Result<void> write(std::span<const FoldedStack> stacks) { return file_.write(folded_text(stacks)); }

private:
    explicit FoldedFile(OutputFile file) : file_(std::move(file)) {}
    OutputFile file_;
};

}  // namespace mapaudit::output
