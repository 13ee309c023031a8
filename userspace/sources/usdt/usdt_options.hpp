// SPDX-License-Identifier: Apache-2.0
//
// What is asked of the usdt source.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "model/level.hpp"
#include "model/stack_walker.hpp"
#include "sources/grow_event.hpp"
#include "sources/usdt/usdt_images.hpp"

namespace mapaudit::sources {

struct UsdtOptions {
    model::Level level = model::Level::full;
    bool per_thread = false;
    std::function<void(const GrowEvent&)> on_grow{};    // may be empty; called in the order the growths happened in
    model::StackWalker* stacks = nullptr;               // null: rare events come without stacks; outlives the source
    bool cpu = false;                                   // blame CPU samples and sleeps on maps as well
    std::function<void(const std::string&)> on_note{};  // what could not be attached and why; may be empty
    bool switchable = false;                            // the level may change later: set_level()
    std::uint32_t max_maps = 0;                         // 0: by what the targets have
    std::uint32_t max_stacks = 0;                       // call stacks told apart; 0: 4096
    std::uint32_t max_pages = 0;                        // octaves of histograms; 0: by the number of maps
    ProbeFiles* files = nullptr;                        // known already, for attach() alone; null: none
};

}  // namespace mapaudit::sources
