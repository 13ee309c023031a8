// SPDX-License-Identifier: Apache-2.0
//
// The registry read as a stranger would: from probe_abi.h alone.
#ifndef MAPAUDIT_TESTS_TARGET_REGISTRY_VIEW_HPP
#define MAPAUDIT_TESTS_TARGET_REGISTRY_VIEW_HPP

#include <mapaudit/probes.h>

#include <cstdint>
#include <cstring>

#ifndef MAPAUDIT_NO_PROBES
namespace mapaudit_test {

inline const mapaudit_map_desc* descriptor_at(std::uint32_t index) {
    const auto& registry = mapaudit_process_registry;
    const std::uint32_t chunk = mapaudit_chunk_of(index, MAPAUDIT_DESC_CHUNK);
    const auto* entries = reinterpret_cast<const mapaudit_map_desc*>(registry.desc_chunks[chunk]);
    return entries + (index - mapaudit_chunk_start(chunk, MAPAUDIT_DESC_CHUNK));
}

// Null when no living map has this id.
inline const mapaudit_map_desc* descriptor_of(std::uint32_t id) {
    for (std::uint32_t i = 0; i < mapaudit_process_registry.descs; ++i)
        if (const auto* desc = descriptor_at(i); desc->id == id) return desc;
    return nullptr;
}

// A field summed over the map's parts.
inline std::uint64_t read_field(const mapaudit_map_desc& desc, const mapaudit_field& field) {
    std::uint64_t sum = 0;
    for (std::uint32_t part = 0; part < desc.parts; ++part) {
        std::uint64_t value = 0;
        std::memcpy(&value, reinterpret_cast<const char*>(field.addr + part * desc.stride), field.width);
        sum += field.log2 != 0 ? std::uint64_t{1} << value : value;
    }
    return sum;
}

}  // namespace mapaudit_test
#endif

#endif
