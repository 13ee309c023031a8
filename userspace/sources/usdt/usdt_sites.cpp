// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_sites.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "wire.h"

namespace mapaudit::sources {
namespace {

struct KnownProbe {
    std::string_view name;
    wire_probe id;
};
constexpr std::array rare_probes{KnownProbe{"conflict", WIRE_CONFLICT}, KnownProbe{"contended", WIRE_CONTENDED},
                                 KnownProbe{"released", WIRE_RELEASED}, KnownProbe{"grow", WIRE_GROW},
                                 KnownProbe{"evacuate", WIRE_EVACUATE}, KnownProbe{"create", WIRE_CREATE},
                                 KnownProbe{"destroy", WIRE_DESTROY}};
constexpr std::array batch_probe{KnownProbe{"batch", WIRE_BATCH}};
constexpr std::array sampled_probe{KnownProbe{"batch_sampled", WIRE_BATCH_SAMPLED}};
constexpr std::array single_probes{KnownProbe{"assign", WIRE_ASSIGN}, KnownProbe{"lookup", WIRE_LOOKUP},
                                   KnownProbe{"erase", WIRE_ERASE}};

template <std::size_t N>
void choose(const ElfProbes& probes, const std::array<KnownProbe, N>& wanted, std::uint32_t domain,
            std::vector<UprobeSite>& sites) {
    for (const KnownProbe& probe : wanted)
        for (const ProbeSite& site : probes.sites)
            if (site.name == probe.name)
                sites.push_back(
                    {site.offset, site.semaphore_offset, std::uint64_t{probe.id} | std::uint64_t{domain} << 8});
}

}  // namespace

bool has_batches(const ElfProbes& probes) {
    return std::any_of(probes.sites.begin(), probes.sites.end(),
                       [](const ProbeSite& site) { return site.name == "batch"; });
}

std::vector<UprobeSite> choose_hot(const ElfProbes& probes, model::Level level, std::uint32_t domain) {
    std::vector<UprobeSite> sites;
    if (level == model::Level::full) choose(probes, batch_probe, domain, sites);
    if (level == model::Level::sampled) choose(probes, sampled_probe, domain, sites);
    return sites;
}

std::vector<UprobeSite> choose_sites(const ElfProbes& probes, model::Level level, std::uint32_t domain,
                                     bool without_hot) {
    std::vector<UprobeSite> sites;
    choose(probes, rare_probes, domain, sites);
    if (level == model::Level::events) return sites;
    if (!has_batches(probes)) {
        choose(probes, single_probes, domain, sites);
    } else if (!without_hot) {
        for (const UprobeSite& site : choose_hot(probes, level, domain)) sites.push_back(site);
    }
    return sites;
}

}  // namespace mapaudit::sources
