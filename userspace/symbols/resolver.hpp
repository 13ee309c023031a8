// SPDX-License-Identifier: Apache-2.0
//
// Names addresses: debug information where there is some, else the symbol, else module and offset. Runs in the worker.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "model/stack.hpp"
#include "symbols/compile_units.hpp"
#include "symbols/images.hpp"
#include "symbols/unwinder.hpp"

namespace mapaudit::symbols {

// `images` is used on.
class Resolver {
public:
    explicit Resolver(const Images& images) : images_(images) {}

    // Innermost first; never empty.
    const std::vector<model::Frame>& frames_at(const Step& step);
    model::Stack stack_of(const Walk& walk);
    // True where the outermost frame is one that every thread begins with: nothing outside it can be missing.
    bool reaches_the_beginning(const Walk& walk);

private:
    std::vector<model::Frame> look_up(std::uint64_t address);
    // Replaces the one nameless frame; false where there is no debug information for the address.
    bool look_up_debug_info(const Images::Found& found, std::uint64_t address, std::vector<model::Frame>& frames);

    const Images& images_;
    CompileUnits units_;
    std::unordered_map<std::uint64_t, std::vector<model::Frame>> known_;  // by looked-up address
};

}  // namespace mapaudit::symbols
