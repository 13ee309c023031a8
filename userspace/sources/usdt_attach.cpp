// SPDX-License-Identifier: Apache-2.0
//
// How the usdt source gets attached: which files have probes, whose registry is whose, how much memory, which sites.
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>

#include "sources/usdt_source.hpp"

namespace mapaudit::sources {
namespace {

constexpr std::uint32_t thread_slots = 1u << 16;
constexpr std::uint32_t smallest_map_table = 1024;
constexpr std::uint32_t threads_per_map = 8;    // where threads are told apart
constexpr std::uint32_t octaves_per_cell = 24;  // three operations of eight octaves each
constexpr std::uint32_t largest_page_table = 1u << 19;

struct KnownProbe {
    std::string_view name;
    wire_probe id;
};
constexpr std::array rare_probes{KnownProbe{"conflict", WIRE_CONFLICT}, KnownProbe{"grow", WIRE_GROW},
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

bool has_batches(const ElfProbes& probes) {
    return std::any_of(probes.sites.begin(), probes.sites.end(),
                       [](const ProbeSite& site) { return site.name == "batch"; });
}

// The rare probes first: a target that waits for a hot semaphore to rise finds everything attached.
std::vector<UprobeSite> choose_sites(const ElfProbes& probes, Level level, std::uint32_t domain) {
    std::vector<UprobeSite> sites;
    choose(probes, rare_probes, domain, sites);
    if (level == Level::events) return sites;
    if (!has_batches(probes)) {
        choose(probes, single_probes, domain, sites);
    } else if (level == Level::full) {
        choose(probes, batch_probe, domain, sites);
    } else {
        choose(probes, sampled_probe, domain, sites);
    }
    return sites;
}

}  // namespace

Result<std::unique_ptr<UsdtSource>> UsdtSource::attach(const std::vector<const Process*>& processes,
                                                       UsdtOptions options, UprobeMechanism mechanism) {
    std::unique_ptr<UsdtSource> source(new UsdtSource(std::move(options)));
    if (auto found = source->find(processes); !found) return found.error();
    auto programs = UsdtPrograms::load(source->choose_sizes(), mechanism);
    if (!programs) return programs.error();
    source->programs_ = std::move(*programs);
    source->cells_ = std::make_unique<CellReader>(*source->programs_, source->options_.level == Level::full);
    if (auto introduced = source->introduce_domains(); !introduced) return introduced.error();
    if (auto attached = source->attach_images(mechanism); !attached) return attached.error();
    return source;
}

Result<void> UsdtSource::find(const std::vector<const Process*>& processes) {
    for (const Process* process : processes) {
        auto images = find_images(*process);
        if (!images) return images.error();
        if (images->empty())
            return Error::of(Failure::no_target,
                             "nothing to audit in process " + std::to_string(process->pid()) +
                                 ": no file mapped in it has mapaudit probes",
                             "link the program with mapaudit_target; `mapaudit list` shows what was found");
        const std::size_t first = domains_.size();
        for (UsdtImage& image : *images) {
            RegistryReader reader(*process, image.registry);
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
                domains_.back().process = process;
                domains_.back().ordinal = static_cast<std::uint32_t>(domains_.size() - 1 - first);
                domains_.back().one_by_one = !has_batches(image.probes);
            }
            Domain& domain = domains_.back();
            domain.in_use = domain.in_use || in_use;
            if (image.registry != 0) domain.candidates.push_back(reader);
            attachments_.push_back({domains_.size() - 1, std::move(image)});
        }
    }
    return {};
}

ProgramSizes UsdtSource::choose_sizes() const {
    std::uint32_t live = 0;
    for (const Domain& domain : domains_)
        for (const RegistryReader& reader : domain.candidates) live += std::min(reader.maps_live(), largest_map_table);
    ProgramSizes sizes;
    sizes.per_thread = options_.per_thread;
    sizes.lanes = static_cast<std::uint32_t>(std::max(libbpf_num_possible_cpus(), 1));
    sizes.cells = std::clamp(2 * live, smallest_map_table, largest_map_table);
    if (options_.per_thread) sizes.cells = std::min(sizes.cells * threads_per_map, largest_map_table);
    sizes.cells += 1;
    // A map's histograms spread over all CPUs; those of one thread are on few at a time.
    const std::uint64_t spread = options_.per_thread ? 1 : sizes.lanes;
    sizes.pages = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(sizes.cells * octaves_per_cell * spread, largest_page_table));
    sizes.threads = thread_slots;
    return sizes;
}

void UsdtSource::find_registry(Domain& domain, std::uint32_t index) {
    if (domain.registry != nullptr) return;
    for (RegistryReader& candidate : domain.candidates) {
        auto refreshed = candidate.refresh();
        if (!refreshed || !*refreshed) continue;
        domain.registry = &candidate;
        domain.in_ticks = candidate.clock() == MAPAUDIT_CLOCK_TICKS && !domain.one_by_one;
        (void)programs_->set_domain(index, {candidate.address(), domain.thread_base, domain.thread_limit});
        return;
    }
}

Result<void> UsdtSource::introduce_domains() {
    const auto limit = static_cast<std::uint32_t>(thread_slots / domains_.size());
    for (std::uint32_t i = 0; i < domains_.size(); ++i) {
        Domain& domain = domains_[i];
        domain.thread_base = i * limit;
        domain.thread_limit = limit;
        const std::uint64_t registry = domain.candidates.size() == 1 ? domain.candidates.front().address() : 0;
        if (auto set = programs_->set_domain(i, {registry, domain.thread_base, limit}); !set) return set;
        find_registry(domain, i);
        take_baseline(domain, i);
    }
    return {};
}

// What the blocks hold now was done before this attach. It comes with the next batch all the same, and is left out.
void UsdtSource::take_baseline(Domain& domain, std::uint32_t index) {
    if (domain.registry == nullptr) return;
    domain.at_attach = domain.registry->maps(programs_->sizes().cells);
    for (const RegistryBlock& block : domain.registry->blocks(domain.thread_limit)) {
        programs_->threads[domain.thread_base + block.index] = block.seq;
        if (options_.level != Level::sampled) continue;
        if (const auto held = domain.registry->counters(block)) {
            for (const mapaudit_counter& counter : held->counters)
                for (int op = 0; op < MAPAUDIT_HOT_OPS; ++op)
                    if (counter.calls[op] != 0) stale_[{index, counter.map, op}] += counter.calls[op];
        }
    }
}

Result<void> UsdtSource::attach_images(UprobeMechanism mechanism) {
    for (const Attachment& attachment : attachments_) {
        const Domain& domain = domains_[attachment.image_domain];
        const auto sites =
            choose_sites(attachment.image.probes, options_.level, static_cast<std::uint32_t>(attachment.image_domain));
        if (sites.empty()) continue;
        auto link = UprobeLink::attach(mechanism, programs_->program_fd(), attachment.image.attach_path,
                                       domain.process->pid(), sites);
        if (!link) {
            links_.clear();
            return link.error();
        }
        links_.push_back(std::move(*link));
    }
    return {};
}

}  // namespace mapaudit::sources
