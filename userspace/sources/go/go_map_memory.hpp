// SPDX-License-Identifier: Apache-2.0
//
// What the memory of a Go program's maps says of them: their heads, and a Swiss map's directory and tables. Nothing in
// it is trusted: the map may be gone, and something else in its place, or may be growing while it is read.
#pragma once

#include <cstdint>
#include <vector>

#include "sources/go/binary/go_binary.hpp"
#include "util/process.hpp"
#include "wire_go.h"

namespace mapaudit::sources {

// A map's head, of either design.
struct GoMapHead {
    bool plausible = false;  // it may be a map's: what follows is within bounds
    std::uint32_t seed = 0;  // the low half of it, where it has 64 bits
    // Buckets; for a Swiss map the groups that its directory has room for, as in wire_go_growth.
    std::uint8_t log2_buckets = 0;
    std::uint64_t size = 0;     // elements
    std::uint64_t buckets = 0;  // of a Swiss map: groups of all its tables; 0: not known
};

GoMapHead head_of(const wire_go_hmap& map);
// `tables`: of a sample of the directory's entries, evenly spaced, or of all of them.
GoMapHead head_of(const wire_go_swiss_map& map, const std::vector<wire_go_swiss_table>& tables);

// The maps at these addresses, in their order; one that cannot be read is all zeros. Empty where nothing can be read at
// all. A sample is read where directories are very large (beyond 65,536 entries for all maps together). Thread safe.
std::vector<GoMapHead> read_map_heads(const Process& process, GoMapDesign design,
                                      const std::vector<std::uint64_t>& addresses);

}  // namespace mapaudit::sources
