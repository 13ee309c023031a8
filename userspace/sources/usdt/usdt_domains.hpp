// SPDX-License-Identifier: Apache-2.0
//
// The directory of registries under audit: whose each is, which of a process's files use it, what the eBPF program was
// told of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/map.hpp"
#include "sources/usdt/usdt_images.hpp"
#include "sources/usdt/usdt_registry.hpp"
#include "util/process.hpp"
#include "util/result.hpp"
#include "util/tick_clock.hpp"
#include "wire.h"

namespace mapaudit::sources {

// One registry in one process.
struct UsdtDomain {
    const Process* process = nullptr;
    std::uint32_t ordinal = 0;  // among the process's domains
    RegistryReader registry;
    bool in_use = false;  // a map has been made there
    std::uint32_t thread_base = 0, thread_limit = 0;
    bool one_by_one = false;  // a provider without batches: its figures are in ns
    bool in_ticks = false;    // latencies are in the counter's ticks, not in ns
};

// Not thread safe.
class UsdtDomains {
public:
    // Tells the program of a domain.
    using Tell = std::function<Result<void>(std::uint32_t index, const wire_domain&)>;

    // The domains of a process's files with probes, and which of them each file belongs to. Fails where a registry is
    // of another version, or there are more of them than WIRE_MAX_DOMAINS. The process outlives this.
    Result<std::vector<std::uint32_t>> add(const Process& process, const std::vector<UsdtImage>& images);
    // Shares `thread_blocks` out among the domains, and tells the program of each.
    Result<void> introduce(std::uint32_t thread_blocks, const Tell& tell);
    // Sees which registries have come into use.
    void refresh();

    std::uint32_t size() const { return static_cast<std::uint32_t>(domains_.size()); }
    const UsdtDomain& operator[](std::uint32_t index) const { return domains_[index]; }
    UsdtDomain& operator[](std::uint32_t index) { return domains_[index]; }
    // Maps alive when the domains were added or last looked for; each registry's at most `limit`.
    std::uint32_t maps_alive(std::uint32_t limit) const;
    model::MapId map_id(std::uint32_t domain, std::uint32_t map) const;
    // The unit of a domain's latencies.
    double ns_per_unit(std::uint32_t domain) const;

private:
    static Result<void> refresh(UsdtDomain& domain);

    std::vector<UsdtDomain> domains_;
    TickClock ticks_;
};

}  // namespace mapaudit::sources
