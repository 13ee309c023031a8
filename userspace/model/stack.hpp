// SPDX-License-Identifier: Apache-2.0
//
// A call stack as outputs show it: resolved, innermost frame first. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mapaudit::model {

// As much as is known. All text comes from the target's files: escape before printing.
struct Frame {
    std::string function;      // demangled; empty where no symbol covers the address
    std::string file;          // source file as its debug information names it; empty without
    std::uint32_t line = 0;    // 0: unknown
    std::string module;        // file name of the executable or library; empty where the address is in none
    std::uint64_t offset = 0;  // link-time address, as nm and addr2line give it; the address itself without a module
    bool inlined = false;      // into the frame that follows

    bool operator==(const Frame&) const = default;
};

struct Stack {
    std::vector<Frame> frames;
    std::string cut;  // why outer frames are missing ("no unwind information in libfoo.so"); empty: it is whole

    bool operator==(const Stack&) const = default;
};

}  // namespace mapaudit::model
