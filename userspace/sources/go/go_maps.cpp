// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_maps.hpp"

#include <algorithm>
#include <utility>

namespace mapaudit::sources {
namespace {

// A Swiss map of several tables has at most what its directory has room for: what it has, its memory tells.
std::uint64_t buckets_after(std::uint64_t before, const GoObservation& observation) {
    return std::min(before + observation.added, std::uint64_t{1} << observation.log2_after);
}

}  // namespace

// Buckets never become fewer, but where a map is raced on, two may set out from as many. A map's seed changes when it
// becomes empty, and not what it has grown to; a successor in its memory begins with what it was made with.
bool GoMaps::is_it(const GoMap& map, const GoObservation& observation) const {
    if (map.type != 0 && observation.type != 0 && map.type != observation.type) return false;
    if (map.seed == observation.seed) return observation.log2_before + 1 >= map.log2_grown;
    return observation.log2_before == map.log2_grown;
}

std::uint32_t GoMaps::meet(const GoObservation& observation) {
    if (observation.map == 0) return share(observation);
    if (const auto found = by_address_.find(observation.map); found != by_address_.end()) {
        GoMap& map = maps_[found->second - 1];
        changed_.insert(map.id);
        if (is_it(map, observation)) {
            map.seed = observation.seed;
            if (observation.log2_before > map.log2_grown) map.buckets = std::uint64_t{1} << observation.log2_before;
            map.log2_grown = std::max(map.log2_grown, observation.log2_after);
            map.buckets = std::max(map.buckets, buckets_after(map.buckets, observation));
            map.size = observation.size;
            if (map.type == 0) map.type = observation.type;
            map.suspect = false;
            return map.id;
        }
        map.alive = false;
        by_address_.erase(found);
    }
    auto& given = of_place_[{observation.type, observation.caller}];
    const std::size_t left = most_ - std::min<std::size_t>(maps_.size(), most_);
    if (given >= left) return share(observation);
    ++given;
    GoMap map;
    map.type = observation.type;
    map.caller = observation.caller;
    map.address = observation.map;
    map.seed = observation.seed;
    map.log2_grown = observation.log2_after;
    map.buckets = buckets_after(std::uint64_t{1} << observation.log2_before, observation);
    map.size = observation.size;
    const std::uint32_t id = add(map);
    by_address_[observation.map] = id;
    return id;
}

std::uint32_t GoMaps::known(const GoObservation& observation) const {
    const auto own = by_address_.find(observation.map);
    if (own != by_address_.end()) return own->second;
    const auto shared = shared_.find({observation.type, observation.caller});
    return shared == shared_.end() ? model::other_maps : shared->second;
}

std::uint32_t GoMaps::share(const GoObservation& observation) {
    const auto found = shared_.find({observation.type, observation.caller});
    if (found != shared_.end()) return found->second;
    if (maps_.size() >= most_) return model::other_maps;
    GoMap map;
    map.type = observation.type;
    map.caller = observation.caller;
    map.shared = true;
    return shared_[{observation.type, observation.caller}] = add(map);
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
