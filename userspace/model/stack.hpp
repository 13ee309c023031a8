// SPDX-License-Identifier: Apache-2.0
//
// A call stack as outputs show it: resolved, innermost frame first. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
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

// A row of frames, innermost first, that copies share: a stack of some KiB of text stands in thousands of rows. Copies
// may be read in several threads at once; one object is for one thread at a time.
class Frames {
public:
    Frames() = default;
    Frames(std::initializer_list<Frame> frames) : Frames(std::vector<Frame>(frames)) {}
    Frames(std::vector<Frame> frames) : shared_(std::make_shared<std::vector<Frame>>(std::move(frames))) {}

    const std::vector<Frame>& all() const { return shared_ != nullptr ? *shared_ : none(); }
    std::size_t size() const { return all().size(); }
    bool empty() const { return all().empty(); }
    const Frame& operator[](std::size_t i) const { return all()[i]; }
    const Frame& back() const { return all().back(); }
    auto begin() const { return all().begin(); }
    auto end() const { return all().end(); }
    auto rbegin() const { return all().rbegin(); }
    auto rend() const { return all().rend(); }

    bool operator==(const Frames& other) const { return shared_ == other.shared_ || all() == other.all(); }

private:
    static const std::vector<Frame>& none() {
        static const std::vector<Frame> empty;
        return empty;
    }
    std::shared_ptr<const std::vector<Frame>> shared_;
};

struct Stack {
    Frames frames;
    std::string cut;  // why outer frames are missing ("no unwind information in libfoo.so"); empty: it is whole

    bool operator==(const Stack&) const = default;
};

}  // namespace mapaudit::model
