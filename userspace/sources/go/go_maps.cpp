// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_maps.hpp"

#include <algorithm>
#include <utility>

namespace mapaudit::sources {
namespace {

// A Swiss map of several tables has at most what its directory has room for: what it has, its memory tells.
std::uint64_t buckets_after(std::uint64_t before, const GoSighting& sighting) {
    return std::min(before + sighting.added, std::uint64_t{1} << sighting.log2_after);
}

}  // namespace

// Buckets never become fewer, but where a map is raced on, two may set out from as many. A map's seed changes when it
// becomes empty, and not what it has grown to; a successor in its memory begins with what it was made with.
bool GoMaps::is_it(const GoMap& map, const GoSighting& sighting) const {
    if (map.type != 0 && sighting.type != 0 && map.type != sighting.type) return false;
    if (map.seed == sighting.seed) return sighting.log2_before + 1 >= map.log2_grown;
    return sighting.log2_before == map.log2_grown;
}

std::uint32_t GoMaps::meet(const GoSighting& sighting) {
    if (sighting.map == 0) return share(sighting);
    if (const auto found = by_address_.find(sighting.map); found != by_address_.end()) {
        GoMap& map = maps_[found->second - 1];
        changed_.insert(map.id);
        if (is_it(map, sighting)) {
            map.seed = sighting.seed;
            if (sighting.log2_before > map.log2_grown) map.buckets = std::uint64_t{1} << sighting.log2_before;
            map.log2_grown = std::max(map.log2_grown, sighting.log2_after);
            map.buckets = std::max(map.buckets, buckets_after(map.buckets, sighting));
            map.size = sighting.size;
            if (map.type == 0) map.type = sighting.type;
            map.suspect = false;
            return map.id;
        }
        map.alive = false;
        by_address_.erase(found);
    }
    auto& given = of_place_[{sighting.type, sighting.caller}];
    const std::size_t left = most_ - std::min<std::size_t>(maps_.size(), most_);
    if (given >= left) return share(sighting);
    ++given;
    GoMap map;
    map.type = sighting.type;
    map.caller = sighting.caller;
    map.address = sighting.map;
    map.seed = sighting.seed;
    map.log2_grown = sighting.log2_after;
    map.buckets = buckets_after(std::uint64_t{1} << sighting.log2_before, sighting);
    map.size = sighting.size;
    const std::uint32_t id = add(map);
    by_address_[sighting.map] = id;
    return id;
}

std::uint32_t GoMaps::known(const GoSighting& sighting) const {
    const auto own = by_address_.find(sighting.map);
    if (own != by_address_.end()) return own->second;
    const auto shared = shared_.find({sighting.type, sighting.caller});
    return shared == shared_.end() ? model::other_maps : shared->second;
}

std::uint32_t GoMaps::share(const GoSighting& sighting) {
    const auto found = shared_.find({sighting.type, sighting.caller});
    if (found != shared_.end()) return found->second;
    if (maps_.size() >= most_) return model::other_maps;
    GoMap map;
    map.type = sighting.type;
    map.caller = sighting.caller;
    map.shared = true;
    return shared_[{sighting.type, sighting.caller}] = add(map);
}

std::uint32_t GoMaps::add(GoMap map) {
    map.id = static_cast<std::uint32_t>(maps_.size() + 1);
    maps_.push_back(map);
    changed_.insert(map.id);
    return map.id;
}

// A growth is told before it happens: the thread may be held up in between. And those of the last few milliseconds may
// not have been told yet: memory that looks like another map's is given one more look.
void GoMaps::look(GoMap& map, const GoMapHead& head) {
    changed_.insert(map.id);
    const bool same = head.seed == map.seed ? head.log2_buckets + 1 >= map.log2_grown
                                            : head.plausible && head.log2_buckets == map.log2_grown;
    if (same) {
        map.seed = head.seed;
        if (head.plausible) map.size = head.size;
        if (head.plausible && head.log2_buckets >= map.log2_grown && head.buckets != 0) map.buckets = head.buckets;
        map.suspect = false;
    } else if (!std::exchange(map.suspect, true)) {
        return;
    } else {
        map.alive = false;
        by_address_.erase(map.address);
    }
}

std::vector<GoMap*> GoMaps::living() {
    std::vector<GoMap*> found;
    for (const auto& [address, id] : by_address_) found.push_back(&maps_[id - 1]);
    return found;
}

std::vector<const GoMap*> GoMaps::changed() {
    std::vector<const GoMap*> found;
    for (const std::uint32_t id : changed_) found.push_back(&maps_[id - 1]);
    changed_.clear();
    return found;
}

const GoMap* GoMaps::find(std::uint32_t id) const { return id == 0 || id > maps_.size() ? nullptr : &maps_[id - 1]; }

}  // namespace mapaudit::sources
