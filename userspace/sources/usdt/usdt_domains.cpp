// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_domains.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <utility>

#include "sources/usdt/usdt_sites.hpp"

namespace mapaudit::sources {
namespace {

// The ranges that a process's code lies in. What is close together is one range: there are few to spend, and data in
// between only costs a stack copied twice.
void describe_text(const Process& process, wire_domain& domain) {
    constexpr std::uint64_t close = 4u << 20;
    struct Range {
        std::uint64_t start, end;
    };
    std::vector<Range> ranges;
    const auto mappings = process.mappings();
    if (!mappings) return;
    for (const Mapping& mapping : *mappings) {
        if (!mapping.executable) continue;
        if (!ranges.empty() && mapping.start - ranges.back().end < close)
            ranges.back().end = mapping.end;
        else
            ranges.push_back({mapping.start, mapping.end});
    }
    std::stable_sort(ranges.begin(), ranges.end(),
                     [](const Range& a, const Range& b) { return a.end - a.start > b.end - b.start; });
    for (std::size_t i = 0; i < std::min<std::size_t>(ranges.size(), WIRE_TEXT_RANGES); ++i) {
        domain.text[i].start = ranges[i].start;
        domain.text[i].size = ranges[i].end - ranges[i].start;
    }
}

// All but the registry and the threads.
wire_domain describe_process(const Process& process) {
    wire_domain domain{};
    struct stat pidns;
    if (::stat(("/proc/" + std::to_string(process.pid()) + "/ns/pid").c_str(), &pidns) == 0) {
        domain.pidns_device = pidns.st_dev;
        domain.pidns_inode = pidns.st_ino;
    }
    describe_text(process, domain);
    return domain;
}

}  // namespace

Result<std::vector<std::uint32_t>> UsdtDomains::add(const Process& process, const std::vector<UsdtImage>& images) {
    std::vector<std::uint32_t> places;
    const auto first = static_cast<std::ptrdiff_t>(domains_.size());
    for (const UsdtImage& image : images) {
        // A file without a registry uses the program's.
        const auto known = std::find_if(domains_.begin() + first, domains_.end(), [&](const UsdtDomain& domain) {
            return image.registry == 0 || domain.registry.address() == image.registry;
        });
        places.push_back(static_cast<std::uint32_t>(known - domains_.begin()));
        if (known != domains_.end()) continue;
        if (domains_.size() == WIRE_MAX_DOMAINS)
            return Error::of(Failure::failed, "more than " + std::to_string(WIRE_MAX_DOMAINS) + " registries to audit");
        UsdtDomain domain{.process = &process, .registry = RegistryReader(process, image.registry)};
        domain.ordinal = static_cast<std::uint32_t>(known - domains_.begin() - first);
        domain.one_by_one = !has_batches(*image.probes);
        if (const auto refreshed = refresh(domain); !refreshed) return refreshed.error();
        domains_.push_back(std::move(domain));
    }
    return places;
}

Result<void> UsdtDomains::introduce(std::uint32_t thread_blocks, const Tell& tell) {
    const std::uint32_t limit = thread_blocks / std::max(size(), 1u);
    for (std::uint32_t i = 0; i < size(); ++i) {
        UsdtDomain& domain = domains_[i];
        domain.thread_base = i * limit;
        domain.thread_limit = limit;
        wire_domain known = describe_process(*domain.process);
        known.registry = domain.registry.address();
        known.thread_base = domain.thread_base;
        known.thread_limit = limit;
        if (auto told = tell(i, known); !told) return told;
    }
    refresh();
    return {};
}

void UsdtDomains::refresh() {
    for (UsdtDomain& domain : domains_)
        if (!domain.in_use) (void)refresh(domain);
}

Result<void> UsdtDomains::refresh(UsdtDomain& domain) {
    if (domain.registry.address() == 0) return {};
    const auto in_use = domain.registry.refresh();
    if (!in_use) return in_use.error();
    domain.in_use = *in_use;
    domain.in_ticks = *in_use && domain.registry.clock() == MAPAUDIT_CLOCK_TICKS && !domain.one_by_one;
    return {};
}

std::uint32_t UsdtDomains::maps_alive(std::uint32_t limit) const {
    std::uint32_t alive = 0;
    for (const UsdtDomain& domain : domains_) alive += std::min(domain.registry.maps_live(), limit);
    return alive;
}

model::MapId UsdtDomains::map_id(std::uint32_t domain, std::uint32_t map) const {
    return {domains_[domain].process->pid(), domains_[domain].ordinal, map};
}

double UsdtDomains::ns_per_unit(std::uint32_t domain) const {
    return domains_[domain].in_ticks ? ticks_.ns_per_tick() : 1.0;
}

}  // namespace mapaudit::sources
