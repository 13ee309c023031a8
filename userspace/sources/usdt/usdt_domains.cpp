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
    const std::size_t first = domains_.size();
    for (const UsdtImage& image : images) {
        RegistryReader reader(process, image.registry);
        bool in_use = false;
        if (image.registry != 0) {
            auto refreshed = reader.refresh();
            if (!refreshed) return refreshed.error();
            in_use = *refreshed;
        }
        // One domain a registry in use. A file without one uses another file's, or is the first to get one.
        if (domains_.size() == first || (in_use && domains_.back().in_use)) {
            if (domains_.size() == WIRE_MAX_DOMAINS)
                return Error::of(Failure::failed,
                                 "more than " + std::to_string(WIRE_MAX_DOMAINS) + " registries to audit");
            domains_.push_back({});
            domains_.back().process = &process;
            domains_.back().ordinal = static_cast<std::uint32_t>(domains_.size() - 1 - first);
            domains_.back().one_by_one = !has_batches(*image.probes);
        }
        UsdtDomain& domain = domains_.back();
        domain.in_use = domain.in_use || in_use;
        if (image.registry != 0) domain.candidates.push_back(reader);
        places.push_back(size() - 1);
    }
    return places;
}

Result<void> UsdtDomains::introduce(std::uint32_t thread_blocks, Tell tell) {
    tell_ = std::move(tell);
    const std::uint32_t limit = thread_blocks / std::max(size(), 1u);
    for (std::uint32_t i = 0; i < size(); ++i) {
        UsdtDomain& domain = domains_[i];
        domain.known = describe_process(*domain.process);
        if (domain.candidates.size() == 1) domain.known.registry = domain.candidates.front().address();
        domain.known.thread_base = domain.thread_base = i * limit;
        domain.known.thread_limit = domain.thread_limit = limit;
        if (auto told = tell_(i, domain.known); !told) return told;
        find_registry(i);
    }
    return {};
}

void UsdtDomains::find_registries() {
    for (std::uint32_t i = 0; i < size(); ++i) find_registry(i);
}

void UsdtDomains::find_registry(std::uint32_t index) {
    UsdtDomain& domain = domains_[index];
    if (domain.registry != nullptr) return;
    for (RegistryReader& candidate : domain.candidates) {
        auto refreshed = candidate.refresh();
        if (!refreshed || !*refreshed) continue;
        domain.registry = &candidate;
        domain.in_ticks = candidate.clock() == MAPAUDIT_CLOCK_TICKS && !domain.one_by_one;
        domain.known.registry = candidate.address();
        (void)tell_(index, domain.known);
        return;
    }
}

std::uint32_t UsdtDomains::maps_alive(std::uint32_t limit) const {
    std::uint32_t alive = 0;
    for (const UsdtDomain& domain : domains_)
        for (const RegistryReader& reader : domain.candidates) alive += std::min(reader.maps_live(), limit);
    return alive;
}

model::MapId UsdtDomains::map_id(std::uint32_t domain, std::uint32_t map) const {
    return {domains_[domain].process->pid(), domains_[domain].ordinal, map};
}

double UsdtDomains::ns_per_unit(std::uint32_t domain) const {
    return domains_[domain].in_ticks ? ticks_.ns_per_tick() : 1.0;
}

}  // namespace mapaudit::sources
