// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_map_memory.hpp"

#include <algorithm>
#include <bit>

namespace mapaudit::sources {
namespace {

constexpr std::size_t most_entries = 1u << 16;  // of directories, read at one look
constexpr std::uint64_t group_slots = 1u << WIRE_GO_GROUP_LOG2;
constexpr std::uint64_t largest_table = group_slots << WIRE_GO_LARGEST_TABLE_LOG2;

static_assert(sizeof(wire_go_swiss_map) == 40 && offsetof(wire_go_swiss_map, depth) == 32);
static_assert(sizeof(wire_go_swiss_table) == 8 && offsetof(wire_go_swiss_table, depth) == 6);

bool plausible(const wire_go_swiss_map& map) {
    return map.writing <= 1 && map.depth < WIRE_GO_DEEPEST &&
           (map.entries == 0 ? map.used <= group_slots
                             : map.entries == std::uint64_t{1} << map.depth && map.directory != 0);
}

bool plausible(const wire_go_swiss_table& table, const wire_go_swiss_map& map) {
    return std::has_single_bit(table.capacity) && table.capacity >= group_slots && table.capacity <= largest_table &&
           table.used <= table.capacity && table.depth <= map.depth;
}

struct Directory {
    const wire_go_swiss_map* map;
    std::vector<std::uint64_t> entries;  // those that are read
    std::vector<wire_go_swiss_table> tables;
};

// Each map gets its whole directory, or an equal share of what may be read.
std::vector<Directory> read_directories(const Process& process, const std::vector<wire_go_swiss_map>& maps) {
    std::vector<Directory> directories;
    const auto with = std::count_if(maps.begin(), maps.end(), [](const auto& map) { return map.entries != 0; });
    const std::uint64_t share = std::max<std::uint64_t>(most_entries / std::max<std::uint64_t>(with, 1), 1);
    std::vector<RemoteRead> reads;
    for (const wire_go_swiss_map& map : maps) {
        const std::uint64_t count = plausible(map) ? std::min<std::uint64_t>(map.entries, share) : 0;
        directories.push_back({&map, std::vector<std::uint64_t>(count), std::vector<wire_go_swiss_table>(count)});
        auto& entries = directories.back().entries;
        if (count == map.entries && count != 0)
            reads.push_back({map.directory, entries.data(), count * sizeof entries[0]});
        else
            for (std::uint64_t i = 0; i < count; ++i)
                reads.push_back({map.directory + i * map.entries / count * 8, &entries[i], sizeof entries[i]});
    }
    process.read_many(reads);
    reads.clear();
    for (Directory& directory : directories)
        for (std::size_t i = 0; i < directory.entries.size(); ++i)
            reads.push_back({directory.entries[i], &directory.tables[i], sizeof directory.tables[i]});
    process.read_many(reads);
    return directories;
}

template <class Head>
std::vector<Head> read_heads(const Process& process, const std::vector<std::uint64_t>& addresses) {
    std::vector<Head> heads(addresses.size());
    std::vector<RemoteRead> reads;
    for (std::size_t i = 0; i < addresses.size(); ++i) reads.push_back({addresses[i], &heads[i], sizeof heads[i]});
    if (process.read_many(reads) == 0) heads.clear();
    return heads;
}

}  // namespace

// It grows at 6.5 elements a bucket, and is given more room than that to err.
GoMapHead head_of(const wire_go_hmap& map) {
    GoMapHead head{false, map.seed, map.log2_buckets, map.count, 0};
    if (map.log2_buckets >= WIRE_GO_LARGEST_LOG2 || (map.flags & ~WIRE_GO_HMAP_FLAGS) != 0) return head;
    head.buckets = std::uint64_t{1} << map.log2_buckets;
    head.plausible = map.count <= 16 * head.buckets;
    return head;
}

// A table is at 1 << (the map's depth - its own) entries: an entry stands for as small a part of its table.
GoMapHead head_of(const wire_go_swiss_map& map, const std::vector<wire_go_swiss_table>& tables) {
    GoMapHead head{plausible(map), static_cast<std::uint32_t>(map.seed), 0, map.used, 0};
    if (!head.plausible) return head;
    if (map.entries == 0) {
        head.buckets = 1;
        return head;
    }
    if (map.depth != 0) head.log2_buckets = static_cast<std::uint8_t>(WIRE_GO_LARGEST_TABLE_LOG2 + map.depth);
    double slots = 0;
    for (const wire_go_swiss_table& table : tables) {
        if (!plausible(table, map)) {
            head.plausible = false;
            return head;
        }
        slots += static_cast<double>(table.capacity) / static_cast<double>(1ull << (map.depth - table.depth));
    }
    if (tables.empty()) return head;
    slots *= static_cast<double>(map.entries) / static_cast<double>(tables.size());
    head.buckets = static_cast<std::uint64_t>(slots / group_slots + 0.5);
    head.plausible = map.used <= head.buckets * group_slots || tables.size() < map.entries;
    if (map.depth == 0) head.log2_buckets = static_cast<std::uint8_t>(std::bit_width(head.buckets) - 1);
    return head;
}

std::vector<GoMapHead> read_map_heads(const Process& process, GoMapDesign design,
                                      const std::vector<std::uint64_t>& addresses) {
    std::vector<GoMapHead> heads;
    if (design == GoMapDesign::classic) {
        for (const wire_go_hmap& map : read_heads<wire_go_hmap>(process, addresses)) heads.push_back(head_of(map));
        return heads;
    }
    const auto maps = read_heads<wire_go_swiss_map>(process, addresses);
    for (const Directory& directory : read_directories(process, maps))
        heads.push_back(head_of(*directory.map, directory.tables));
    return heads;
}

}  // namespace mapaudit::sources
