// SPDX-License-Identifier: Apache-2.0
//
// A registry made by hand in this very process, which is read from outside like any other's.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <mapaudit/probe_abi.h>

#include "util/process.hpp"

namespace mapaudit::sources {

inline Process own_process() {
    auto own = Process::open(::getpid());
    if (!own) throw std::runtime_error(own.error().line());
    return std::move(*own);
}

class OwnRegistry {
public:
    OwnRegistry() : blocks_(MAPAUDIT_BLOCK_CHUNK), descs_(MAPAUDIT_DESC_CHUNK) {
        head.version = MAPAUDIT_ABI_VERSION;
        head.clock = MAPAUDIT_CLOCK_MONOTONIC;
        head.record_size = sizeof(mapaudit_record);
        head.block_size = sizeof(mapaudit_thread_block);
        head.desc_size = sizeof(mapaudit_map_desc);
        head.block_chunks[0] = reinterpret_cast<std::uint64_t>(blocks_.data());
        head.desc_chunks[0] = reinterpret_cast<std::uint64_t>(descs_.data());
    }
    // As when the first map is made.
    void comes_into_use() { head.magic = MAPAUDIT_REGISTRY_MAGIC; }
    std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(&head); }
    mapaudit_thread_block& block(std::uint32_t index) {
        if (head.blocks <= index) head.blocks = index + 1;
        return blocks_.at(index);
    }
    mapaudit_map_desc& add_map(std::uint32_t id, const std::string& name) {
        mapaudit_map_desc& desc = descs_.at(head.descs++);
        desc.id = id;
        desc.parts = 1;
        name.copy(desc.name, sizeof desc.name - 1);
        ++head.maps_live;
        return desc;
    }

    mapaudit_registry head{};

private:
    std::vector<mapaudit_thread_block> blocks_;
    std::vector<mapaudit_map_desc> descs_;
};

}  // namespace mapaudit::sources
