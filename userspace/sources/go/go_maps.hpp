// SPDX-License-Identifier: Apache-2.0
//
// Which map is which, in one Go process. Maps have no names and no numbers there, and their memory is used again: the
// one at an address is told from its successor by its seed, its type and its buckets. Pure: no kernel, no process.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "model/aggregator.hpp"
#include "sources/go/go_map_memory.hpp"

namespace mapaudit::sources {

// What is known of a map where it was met.
struct GoObservation {
    std::uint64_t map = 0;   // its address; 0: it has none that stays, as on a goroutine's stack
    std::uint64_t type = 0;  // 0: not known
    std::uint64_t caller = 0;
    std::uint32_t seed = 0;
    // Buckets before and after what happened there; of a Swiss map: groups that its directory has room for.
    std::uint8_t log2_before = 0, log2_after = 0;
    std::uint64_t size = 0;
    std::uint64_t added = 0;  // buckets
};

// A map with a row of its own, or those that share one: of one type, assigned to in one place.
struct GoMap {
    std::uint32_t id = 0;
    std::uint64_t type = 0, caller = 0;  // the caller that it was first met at
    bool shared = false;
    // For a map that has a row of its own:
    std::uint64_t address = 0;
    std::uint32_t seed = 0;
    std::uint8_t log2_grown = 0;  // buckets, as in GoObservation, by the growths that were seen
    std::uint64_t buckets = 0;    // and by its memory, which may be ahead of them; of a Swiss map: its groups
    std::uint64_t size = 0;
    bool alive = true;
    bool suspect = false;  // its memory did not look like it at the last look
};

// Not thread safe.
class GoMaps {
public:
    // At most so many rows. One place in the program gets at most as many of its own as are left then: if it makes maps
    // without end, others still have theirs, and however many such places there are, so has the next.
    explicit GoMaps(std::uint32_t most) : most_(most) {}

    // The id of its row: its own, the one shared by those of its type and caller, or model::other_maps. The same for
    // every observation of one map, if they are told in the order they were made in.
    std::uint32_t meet(const GoObservation& observation);
    // The id of the row that such an observation belongs to, where the map was met already: nothing changes.
    std::uint32_t known(const GoObservation& observation) const;
    // Compares a living map with what its memory holds now.
    void look(GoMap& map, const GoMapHead& head);

    std::vector<GoMap*> living();
    // Those that are new, or known otherwise, since the last call; each once.
    std::vector<const GoMap*> changed();
    const GoMap* find(std::uint32_t id) const;

private:
    std::uint32_t add(GoMap map);
    std::uint32_t share(const GoObservation& observation);
    bool is_it(const GoMap& map, const GoObservation& observation) const;

    std::uint32_t most_;
    std::vector<GoMap> maps_;  // by id - 1
    std::map<std::uint64_t, std::uint32_t> by_address_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> shared_;    // by type and caller
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> of_place_;  // own rows given to each
    std::set<std::uint32_t> changed_;
};

}  // namespace mapaudit::sources
