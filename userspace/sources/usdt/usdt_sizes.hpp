// SPDX-License-Identifier: Apache-2.0
//
// How much memory the eBPF programs get: by what the targets have, within what was asked for.
#pragma once

#include <cstdint>

#include "sources/usdt/usdt_programs.hpp"

namespace mapaudit::sources {

// No audit knows more maps than these, however many its targets make.
inline constexpr std::uint32_t largest_map_table = 1u << 16;

// Blocks of threads, over all domains.
inline constexpr std::uint32_t thread_slots = 1u << 16;

struct SizeLimits {
    bool per_thread = false;
    std::uint32_t max_maps = 0;    // 0: by what the targets have
    std::uint32_t max_stacks = 0;  // call stacks told apart; 0: 4096
    std::uint32_t max_pages = 0;   // octaves of histograms; 0: by the number of maps
};

// `maps_alive`: in all domains, each one's at most largest_map_table.
ProgramSizes choose_sizes(const SizeLimits& limits, std::uint32_t maps_alive, std::uint32_t domains,
                          std::uint32_t cpus);

}  // namespace mapaudit::sources
