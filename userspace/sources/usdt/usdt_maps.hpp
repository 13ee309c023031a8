// SPDX-License-Identifier: Apache-2.0
//
// Which maps the registries have, and what the aggregator is told of them: that they are there, their latest figures,
// that they have gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "model/aggregator.hpp"
#include "sources/usdt/usdt_admission.hpp"
#include "sources/usdt/usdt_domains.hpp"
#include "sources/usdt/usdt_registry.hpp"
#include "wire.h"

namespace mapaudit::sources {

// Not thread safe.
class UsdtMaps {
public:
    // At most `most` maps have rows of their own, and no more than these and those are described. The domains outlive
    // this.
    UsdtMaps(const UsdtDomains& domains, std::size_t most) : domains_(domains), admission_(most) {}

    UsdtAdmission& admission() { return admission_; }

    // Maps alive at the attach. A target that ends at once would take what is known of them with it: they are told with
    // the next update.
    void remember(std::uint32_t domain, std::vector<RegistryMap> maps);
    // The domain's maps alive now; nothing: it has ended, and the last figures stay.
    void update(std::uint32_t domain, const std::optional<std::vector<RegistryMap>>& now,
                model::Aggregator& aggregator);
    void created(std::uint32_t domain, const RegistryMap& map, model::Aggregator& aggregator);
    void destroyed(std::uint32_t domain, const wire_destroy& destroy, model::Aggregator& aggregator);
    // Calls are about to be counted for the domain's maps without rows of their own.
    void describe_others(std::uint32_t domain, model::Aggregator& aggregator) const;

private:
    std::set<std::uint32_t> tell(std::uint32_t domain, const std::vector<RegistryMap>& maps,
                                 model::Aggregator& aggregator);
    void describe(std::uint32_t domain, std::uint32_t map, const model::MapInfo& info, model::Aggregator& aggregator);

    const UsdtDomains& domains_;
    UsdtAdmission admission_;
    std::map<std::uint32_t, std::vector<RegistryMap>> remembered_;  // by domain
    std::map<std::uint32_t, std::set<std::uint32_t>> living_;       // likewise: ids
    std::set<std::pair<std::uint32_t, std::uint32_t>> described_;   // domain, id
};

}  // namespace mapaudit::sources
