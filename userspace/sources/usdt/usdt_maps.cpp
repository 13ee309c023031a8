// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_maps.hpp"

#include <string>

#include "sources/usdt/usdt_traits.hpp"

namespace mapaudit::sources {
namespace {

model::MapInfo info_of(const RegistryMap& map) {
    return {&usdt_traits, map.name, map.kind, map.size, map.buckets, map.overflow, true, map.checked};
}

}  // namespace

// A target may make maps without end; what is known of them is bounded like what is counted.
void UsdtMaps::describe(std::uint32_t domain, std::uint32_t map, const model::MapInfo& info,
                        model::Aggregator& aggregator) {
    const std::pair key{domain, map};
    if (!described_.contains(key)) {
        if (described_.size() >= admission_.most() && !admission_.has(domain, map)) return;
        described_.insert(key);
    }
    aggregator.describe(domains_.map_id(domain, map), info);
}

void UsdtMaps::remember(std::uint32_t domain, std::vector<RegistryMap> maps) { remembered_[domain] = std::move(maps); }

std::set<std::uint32_t> UsdtMaps::tell(std::uint32_t domain, const std::vector<RegistryMap>& maps,
                                       model::Aggregator& aggregator) {
    std::set<std::uint32_t> ids;
    for (const RegistryMap& map : maps) {
        ids.insert(map.id);
        describe(domain, map.id, info_of(map), aggregator);
    }
    return ids;
}

void UsdtMaps::update(std::uint32_t domain, const std::optional<std::vector<RegistryMap>>& now,
                      model::Aggregator& aggregator) {
    std::set<std::uint32_t>& living = living_[domain];
    // Known by what they were then, those too that have gone since: the registry no longer has their names.
    if (const auto remembered = remembered_.extract(domain))
        living.merge(tell(domain, remembered.mapped(), aggregator));
    if (!now) return;
    std::set<std::uint32_t> alive = tell(domain, *now, aggregator);
    for (const std::uint32_t id : living) {
        const model::MapId key = domains_.map_id(domain, id);
        const model::MapInfo* known = alive.contains(id) ? nullptr : aggregator.find(key);
        if (known == nullptr || !known->alive) continue;
        model::MapInfo gone = *known;
        gone.alive = false;
        aggregator.describe(key, gone);
    }
    living = std::move(alive);
}

void UsdtMaps::created(std::uint32_t domain, const RegistryMap& map, model::Aggregator& aggregator) {
    if (aggregator.find(domains_.map_id(domain, map.id)) == nullptr) describe(domain, map.id, info_of(map), aggregator);
}

void UsdtMaps::destroyed(std::uint32_t domain, const wire_destroy& destroy, model::Aggregator& aggregator) {
    const std::uint32_t map = destroy.event.map;
    const model::MapInfo* known = aggregator.find(domains_.map_id(domain, map));
    model::MapInfo info = known != nullptr ? *known : model::MapInfo{&usdt_traits, {}, {}, {}, {}, {}, true, false};
    info.size = destroy.size;
    info.buckets = destroy.buckets;
    info.alive = false;
    describe(domain, map, info, aggregator);
    living_[domain].erase(map);
}

void UsdtMaps::describe_others(std::uint32_t domain, model::Aggregator& aggregator) const {
    const model::MapId others = domains_.map_id(domain, model::other_maps);
    if (aggregator.find(others) == nullptr)
        aggregator.describe(others, {&usdt_traits, "(other)", "", {}, {}, {}, true, false});
}

}  // namespace mapaudit::sources
