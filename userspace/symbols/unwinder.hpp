// SPDX-License-Identifier: Apache-2.0
//
// Walks a copied stack by call frame information. Runs in the worker.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "symbols/captured_stack.hpp"
#include "symbols/images.hpp"

namespace mapaudit::symbols {

// At most so many frames of a stack, inlined ones not counted.
inline constexpr std::size_t max_depth = 128;

// A reason for a cut: a library loaded since the files were opened, or code generated at run time.
inline constexpr const char* code_in_no_file = "code in no file (generated at run time?)";

struct Step {
    std::uint64_t address = 0;
    bool is_return_address = true;  // not for the innermost frame, nor for one that a signal interrupted
};

struct Walk {
    std::vector<Step> steps;  // innermost first; the first is ip
    std::string cut;          // why outer frames are missing; empty: none are
};

// `images` is used on.
class Unwinder {
public:
    explicit Unwinder(const Images& images);

    // By call frame information where there is a copy of the stack, continued (or replaced) by the kernel's chain of
    // frame pointers where that ends early.
    Walk walk(const CapturedStack& captured);

private:
    Walk by_frame_info(const CapturedStack& captured);

    const Images& images_;
    bool attached_ = false;
};

}  // namespace mapaudit::symbols
