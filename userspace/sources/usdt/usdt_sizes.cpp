// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_sizes.hpp"

#include <algorithm>

namespace mapaudit::sources {
namespace {

constexpr std::uint32_t smallest_map_table = 1024;
constexpr std::uint32_t threads_per_map = 8;  // where threads are told apart
// What is claimed is zeroed at the start, so it costs time as well: what a busy map uses, not the most that it could.
// Beyond, "(other)" takes what finds no room.
constexpr std::uint32_t octaves_per_cell = 8;
constexpr std::uint32_t smallest_page_table = 1u << 13;  // few maps may use all octaves: 1 MiB
constexpr std::uint32_t largest_page_table = 1u << 19;
constexpr std::uint32_t stack_slots = 4096;

}  // namespace

ProgramSizes choose_sizes(const SizeLimits& limits, std::uint32_t maps_alive, std::uint32_t domains,
                          std::uint32_t cpus) {
    ProgramSizes sizes;
    sizes.per_thread = limits.per_thread;
    sizes.lanes = cpus;
    sizes.cells = std::min(maps_alive + std::max(smallest_map_table, maps_alive / 4), largest_map_table);
    if (limits.max_maps != 0) sizes.cells = std::min(limits.max_maps, largest_map_table);
    if (limits.per_thread) sizes.cells = std::min(sizes.cells * threads_per_map, largest_map_table);
    sizes.others = domains;
    sizes.cells += sizes.others;
    // A map's histograms spread over all CPUs; those of one thread are on few at a time.
    const std::uint64_t spread = limits.per_thread ? 1 : sizes.lanes;
    sizes.pages = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(sizes.cells * octaves_per_cell * spread, smallest_page_table, largest_page_table));
    if (limits.max_pages != 0) sizes.pages = limits.max_pages;
    sizes.pages = std::max(sizes.pages, sizes.pages_for_others() + 2);
    sizes.extras = sizes.cells * sizes.lanes + 1;
    sizes.threads = thread_slots;
    sizes.stacks = limits.max_stacks != 0 ? limits.max_stacks : stack_slots;
    return sizes;
}

}  // namespace mapaudit::sources
