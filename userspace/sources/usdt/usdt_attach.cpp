// SPDX-License-Identifier: Apache-2.0
//
// How the usdt source gets attached: which files have probes, whose registry is whose, how much memory, which sites.
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "sources/usdt/usdt_source.hpp"

namespace mapaudit::sources {
namespace {

constexpr std::uint32_t thread_slots = 1u << 16;
constexpr std::uint32_t smallest_map_table = 1024;
constexpr std::uint32_t threads_per_map = 8;  // where threads are told apart
// What is claimed is zeroed at the start, so it costs time as well: what a busy map uses, not the most that it could.
// Beyond, "(other)" takes what finds no room.
constexpr std::uint32_t octaves_per_cell = 8;
constexpr std::uint32_t smallest_page_table = 1u << 13;  // few maps may use all octaves: 1 MiB
constexpr std::uint32_t largest_page_table = 1u << 19;
constexpr std::uint32_t stack_slots = 4096;

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

bool has_batches(const ElfProbes& probes) {
    return std::any_of(probes.sites.begin(), probes.sites.end(),
                       [](const ProbeSite& site) { return site.name == "batch"; });
}

// The batch probe that makes the level.
std::vector<UprobeSite> choose_hot(const ElfProbes& probes, Level level, std::uint32_t domain) {
    std::vector<UprobeSite> sites;
    if (level == Level::full) choose(probes, batch_probe, domain, sites);
    if (level == Level::sampled) choose(probes, sampled_probe, domain, sites);
    return sites;
}

// The rare probes first: a target that waits for a hot semaphore to rise finds everything attached. Without the hot
// ones where these have links of their own, so that they can be exchanged.
std::vector<UprobeSite> choose_sites(const ElfProbes& probes, Level level, std::uint32_t domain, bool without_hot) {
    std::vector<UprobeSite> sites;
    choose(probes, rare_probes, domain, sites);
    if (level == Level::events) return sites;
    if (!has_batches(probes)) {
        choose(probes, single_probes, domain, sites);
    } else if (!without_hot) {
        for (const UprobeSite& site : choose_hot(probes, level, domain)) sites.push_back(site);
    }
    return sites;
}

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

Result<std::unique_ptr<Source>> attach_library(const Process& process) {
    UsdtOptions options;
    options.max_maps = options.max_stacks = 16;
    auto attached = UsdtSource::attach({&process}, std::move(options));
    if (!attached) return attached.error();
    return std::unique_ptr<Source>(std::move(*attached));
}

Result<std::unique_ptr<UsdtSource>> UsdtSource::attach(const std::vector<const Process*>& processes,
                                                       UsdtOptions options, UprobeMechanism mechanism) {
    std::unique_ptr<UsdtSource> source(new UsdtSource(std::move(options)));
    source->mechanism_ = mechanism;
    if (auto found = source->find(processes); !found) return found.error();
    auto programs = UsdtPrograms::load(source->choose_sizes(), mechanism);
    if (!programs) return programs.error();
    source->programs_ = std::move(*programs);
    source->cells_ = std::make_unique<CellReader>(*source->programs_, !source->counts_calls());
    if (auto introduced = source->introduce_domains(); !introduced) return introduced.error();
    // Before the probes, so that there is no operation that it does not see.
    if (source->options_.cpu && source->options_.level != Level::events) source->start_blame();
    if (auto attached = source->attach_images(); !attached) return attached.error();
    return source;
}

Result<void> UsdtSource::find(const std::vector<const Process*>& processes) {
    ProbeFiles of_this_attach;
    ProbeFiles& files = options_.files != nullptr ? *options_.files : of_this_attach;
    for (const Process* process : processes) {
        auto images = find_images(*process, files);
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
                domains_.back().one_by_one = !has_batches(*image.probes);
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
    sizes.cells = std::min(live + std::max(smallest_map_table, live / 4), largest_map_table);
    if (options_.max_maps != 0) sizes.cells = std::min(options_.max_maps, largest_map_table);
    if (options_.per_thread) sizes.cells = std::min(sizes.cells * threads_per_map, largest_map_table);
    sizes.others = static_cast<std::uint32_t>(domains_.size());
    sizes.cells += sizes.others;
    // A map's histograms spread over all CPUs; those of one thread are on few at a time.
    const std::uint64_t spread = options_.per_thread ? 1 : sizes.lanes;
    sizes.pages = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(sizes.cells * octaves_per_cell * spread, smallest_page_table, largest_page_table));
    if (options_.max_pages != 0) sizes.pages = options_.max_pages;
    sizes.pages = std::max(sizes.pages, sizes.pages_for_others() + 2);
    sizes.extras = sizes.cells * sizes.lanes + 1;
    sizes.threads = thread_slots;
    sizes.stacks = options_.max_stacks != 0 ? options_.max_stacks : stack_slots;
    return sizes;
}

void UsdtSource::find_registry(Domain& domain, std::uint32_t index) {
    if (domain.registry != nullptr) return;
    for (RegistryReader& candidate : domain.candidates) {
        auto refreshed = candidate.refresh();
        if (!refreshed || !*refreshed) continue;
        domain.registry = &candidate;
        domain.in_ticks = candidate.clock() == MAPAUDIT_CLOCK_TICKS && !domain.one_by_one;
        domain.known.registry = candidate.address();
        (void)programs_->set_domain(index, domain.known);
        return;
    }
}

Result<void> UsdtSource::introduce_domains() {
    const auto limit = static_cast<std::uint32_t>(thread_slots / domains_.size());
    for (std::uint32_t i = 0; i < domains_.size(); ++i) {
        Domain& domain = domains_[i];
        domain.thread_base = i * limit;
        domain.thread_limit = limit;
        domain.known = describe_process(*domain.process);
        if (domain.candidates.size() == 1) domain.known.registry = domain.candidates.front().address();
        domain.known.thread_base = domain.thread_base;
        domain.known.thread_limit = limit;
        if (auto set = programs_->set_domain(i, domain.known); !set) return set;
        find_registry(domain, i);
        take_baseline(domain, i);
    }
    return {};
}

// What the blocks hold now was done before this attach. It comes with the next batch all the same, and is left out.
void UsdtSource::take_baseline(Domain& domain, std::uint32_t index) {
    if (domain.registry == nullptr) return;
    if (links_.empty()) domain.at_attach = domain.registry->maps(largest_map_table);
    for (const RegistryBlock& block : domain.registry->blocks(domain.thread_limit)) {
        programs_->threads[domain.thread_base + block.index] = block.seq;
        if (!counts_calls()) continue;
        if (const auto held = domain.registry->counters(block)) {
            for (const mapaudit_counter& counter : held->counters)
                for (int op = 0; op < MAPAUDIT_HOT_OPS; ++op)
                    if (counter.calls[op] != 0) stale_[{index, counter.map, op}] += counter.calls[op];
        }
    }
}

// The audit goes on without it where it cannot be had.
void UsdtSource::start_blame() {
    std::vector<BlameTarget> targets;
    for (std::uint32_t i = 0; i < domains_.size(); ++i) {
        if (targets.empty() || targets.back().process != domains_[i].process)
            targets.push_back({domains_[i].process, i, 0});
        ++targets.back().domains;
    }
    BlameOptions options;
    options.on_note = options_.on_note;
    options.sizes.blames = std::min(MAPAUDIT_HOT_OPS * programs_->sizes().cells, largest_map_table);
    auto blame = Blame::make(targets, std::move(options));
    if (blame) {
        blame_ = std::move(*blame);
        tell_blocks();
        const auto started = blame_->start();
        if (started) return;
        blame_.reset();
        blame = started.error();
    }
    if (options_.on_note) options_.on_note("CPU time is not blamed on maps: " + blame.error().line());
}

void UsdtSource::tell_blocks() {
    for (std::uint32_t i = 0; i < domains_.size(); ++i) {
        const Domain& domain = domains_[i];
        if (domain.registry != nullptr) {
            BlocksByThread blocks;
            for (const RegistryBlock& block : domain.registry->blocks(domain.thread_limit))
                if (block.tid != 0) blocks[block.tid] = block.address;
            blame_->learn(i, domain.registry->address(), blocks);
        } else if (domain.candidates.size() == 1) {
            // it will be this one: until then it says that there is no block
            blame_->learn(i, domain.candidates.front().address(), {});
        }
    }
}

Result<void> UsdtSource::attach_images() {
    for (const Attachment& attachment : attachments_) {
        const Domain& domain = domains_[attachment.image_domain];
        const auto sites = choose_sites(*attachment.image.probes, level_,
                                        static_cast<std::uint32_t>(attachment.image_domain), options_.switchable);
        if (sites.empty()) continue;
        auto link = UprobeLink::attach(mechanism_, programs_->program_fd(), attachment.image.attach_path,
                                       domain.process->pid(), sites);
        if (!link) {
            links_.clear();
            return link.error();
        }
        links_.push_back(std::move(*link));
    }
    if (!options_.switchable) return {};
    auto hot = attach_hot(level_);
    if (!hot) {
        links_.clear();
        return hot.error();
    }
    hot_links_ = std::move(*hot);
    return {};
}

Result<std::vector<UprobeLink>> UsdtSource::attach_hot(Level level) {
    std::vector<UprobeLink> links;
    for (const Attachment& attachment : attachments_) {
        const Domain& domain = domains_[attachment.image_domain];
        const auto sites =
            choose_hot(*attachment.image.probes, level, static_cast<std::uint32_t>(attachment.image_domain));
        if (sites.empty() || !domain.process->alive()) continue;
        auto link = UprobeLink::attach(mechanism_, programs_->program_fd(), attachment.image.attach_path,
                                       domain.process->pid(), sites);
        if (!link) return link.error();
        links.push_back(std::move(*link));
    }
    return links;
}

// The new probe goes in before the old one comes out. While both are attached every operation is timed, and a batch
// that is handed over through both is taken once, by its sequence numbers; what was only counted before stays in the
// target's counters until it comes with a batch of the new level, or is read at the detach. So no call falls between
// two levels, and none is counted in both.
//
// A thread may be on its way from one probe to the other with a batch: past the one before it was in place, not yet at
// the other, held up there by the very page that is being patched. Such a batch is read from its block in between;
// whoever begins to hand one over after that finds the new probe.
Result<void> UsdtSource::set_level(Level level, model::Aggregator& aggregator) {
    if (level == level_) return {};
    if (!options_.switchable) return Source::set_level(level, aggregator);
    collect(aggregator);
    // What was done at level events by another audit's doing is not ours.
    if (level_ == Level::events)
        for (std::uint32_t i = 0; i < domains_.size(); ++i) take_baseline(domains_[i], i);
    auto links = attach_hot(level);
    if (!links) return links.error();
    for (std::uint32_t i = 0; i < domains_.size(); ++i) {
        if (domains_[i].registry == nullptr) continue;
        (void)domains_[i].registry->refresh();  // threads may be new
        take_pending(domains_[i], i, aggregator);
    }
    hot_links_ = std::move(*links);
    if (level == Level::events) {
        collect(aggregator);
        take_residuals(aggregator);
        stale_.clear();
    }
    level_ = level;
    return {};
}

}  // namespace mapaudit::sources
