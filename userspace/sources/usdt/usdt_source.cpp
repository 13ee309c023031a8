// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_source.hpp"

#include <bpf/libbpf.h>

#include <algorithm>
#include <string>
#include <utility>

namespace mapaudit::sources {

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
    if (auto found = source->find(processes); !found) return found.error();
    if (auto loaded = source->load(mechanism); !loaded) return loaded.error();
    UsdtPrograms& programs = *source->programs_;
    const auto tell = [&programs](std::uint32_t index, const wire_domain& domain) {
        return programs.set_domain(index, domain);
    };
    if (auto introduced = source->domains_.introduce(programs.sizes().threads, tell); !introduced)
        return introduced.error();
    source->remember_maps();
    source->take_baseline();
    const UsdtOptions& wanted = source->options_;
    // Before the probes, so that there is no operation that it does not see.
    if (wanted.cpu && wanted.level != Level::events)
        source->blame_ = UsdtBlame::start(source->domains_, programs.sizes().cells, wanted.on_note);
    const auto by_uprobes = attach_by_uprobes(mechanism, programs.program_fd());
    if (auto attached = source->attachment_.attach(by_uprobes, wanted.level); !attached) return attached.error();
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
        const auto places = domains_.add(*process, *images);
        if (!places) return places.error();
        for (std::size_t i = 0; i < images->size(); ++i)
            attachment_.add((*places)[i], *process, std::move((*images)[i]));
    }
    return {};
}

Result<void> UsdtSource::load(UprobeMechanism mechanism) {
    const SizeLimits limits{options_.per_thread, options_.max_maps, options_.max_stacks, options_.max_pages};
    const auto cpus = static_cast<std::uint32_t>(std::max(libbpf_num_possible_cpus(), 1));
    const ProgramSizes sizes = choose_sizes(limits, domains_.maps_alive(largest_map_table), domains_.size(), cpus);
    auto programs = UsdtPrograms::load(sizes, mechanism);
    if (!programs) return programs.error();
    programs_ = std::move(*programs);
    const bool counts_calls = options_.switchable || options_.level == Level::sampled;
    maps_.emplace(domains_, sizes.cells - sizes.others);
    reconciler_.emplace(maps_->admission(), counts_calls);
    cells_ = std::make_unique<CellReader>(*programs_, !counts_calls);
    return {};
}

void UsdtSource::each_registry(const std::function<void(RegistryReader&, const DomainThreads&)>& each) {
    for (std::uint32_t i = 0; i < domains_.size(); ++i) {
        UsdtDomain& domain = domains_[i];
        if (!domain.in_use) continue;
        each(domain.registry, {i, domain.registry, {&programs_->threads[domain.thread_base], domain.thread_limit}});
    }
}

void UsdtSource::remember_maps() {
    each_registry([&](const RegistryReader& registry, const DomainThreads& threads) {
        maps_->remember(threads.domain, registry.maps(largest_map_table));
    });
}

void UsdtSource::update_maps(model::Aggregator& aggregator) {
    each_registry([&](RegistryReader& registry, const DomainThreads& threads) {
        std::optional<std::vector<RegistryMap>> now;
        if (const auto refreshed = registry.refresh(); refreshed && *refreshed) now = registry.maps(largest_map_table);
        maps_->update(threads.domain, now, aggregator);
    });
}

void UsdtSource::take_baseline() {
    each_registry([&](const RegistryReader&, const DomainThreads& threads) { reconciler_->take_baseline(threads); });
}

void UsdtSource::take_events(model::Aggregator& aggregator) {
    UsdtIntake intake = intake_into(aggregator);
    programs_->drain(
        [&](const wire_event& event, std::size_t bytes) { dispatch(event, bytes, domains_.size(), intake); });
    intake.report_growths();
}

void UsdtSource::collect(model::Aggregator& aggregator) {
    domains_.refresh();
    update_maps(aggregator);
    take_events(aggregator);
    UsdtIntake intake = intake_into(aggregator);
    cells_->read([&](const CellOrigin& origin, model::Counts& counts) { intake.take_cell(origin, counts); });
    if (blame_ != nullptr) blame_->collect(aggregator.blame());
    if (options_.level != Level::events)
        each_registry([&](const RegistryReader&, const DomainThreads& threads) { intake.take_pending(threads); });
    report_losses(aggregator);
}

void UsdtSource::detach(model::Aggregator& aggregator) {
    if (blame_ != nullptr) blame_->stop();
    attachment_.detach();
    collect(aggregator);
    if (reconciler_->counts_calls() && level_ != Level::events) take_residuals(aggregator);
}

void UsdtSource::take_residuals(model::Aggregator& aggregator) {
    UsdtIntake intake = intake_into(aggregator);
    each_registry([&](const RegistryReader&, const DomainThreads& threads) { intake.take_residual(threads); });
}

// While both probes are attached every operation is timed, and a batch that is handed over through both is taken once,
// by its sequence numbers; what was only counted before stays in the target's counters until it comes with a batch of
// the new level, or is read at the detach. So no call falls between two levels, and none is counted in both.
//
// A thread may be on its way from one probe to the other with a batch: past the one before it was in place, not yet at
// the other, held up there by the very page that is being patched. Such a batch is read from its block in between;
// whoever begins to hand one over after that finds the new probe.
Result<void> UsdtSource::set_level(Level level, model::Aggregator& aggregator) {
    if (level == level_) return {};
    if (!options_.switchable) return Source::set_level(level, aggregator);
    collect(aggregator);
    // What was done at level events by another audit's doing is not ours.
    if (level_ == Level::events) take_baseline();
    const auto changed = attachment_.change(level, [&] {
        UsdtIntake intake = intake_into(aggregator);
        each_registry([&](RegistryReader& registry, const DomainThreads& threads) {
            (void)registry.refresh();  // threads may be new
            intake.take_pending(threads);
        });
    });
    if (!changed) return changed.error();
    if (level == Level::events) {
        collect(aggregator);
        take_residuals(aggregator);
        reconciler_->forget_stale();
    }
    level_ = level;
    return {};
}

model::Activity UsdtSource::activity() const {
    model::Activity activity = ledger_.activity(programs_->ledger());
    if (blame_ != nullptr) activity.samples = blame_->samples();
    return activity;
}

std::vector<model::Evidence> UsdtSource::evidence() {
    std::vector<model::Evidence> rows;
    programs_->read_evidence([&](const wire_evidence_key& key, const wire_evidence& value) {
        if (key.domain >= domains_.size() || value.count == 0) return;
        model::Evidence row;
        row.kind = static_cast<model::EvidenceKind>(key.kind);
        row.map = model::MapDescription{.id = domains_.map_id(key.domain, key.map)};
        row.detail = key.detail;
        row.tid = key.tid;
        row.other_tid = key.other_tid;
        row.count = value.count;
        row.total_ns = value.total_ns;
        row.max_ns = value.max_ns;
        row.first_ns = value.first_ns;
        row.last_ns = value.last_ns;
        if (options_.stacks != nullptr) {
            row.stack = options_.stacks->resolved(row.map->id.pid, key.stack);
            row.other_stack = options_.stacks->resolved(row.map->id.pid, key.other_stack);
        }
        rows.push_back(std::move(row));
    });
    return model::merged(std::move(rows));
}

// Losses of a known map are on its rows; the others go on the row of their own.
void UsdtSource::report_losses(model::Aggregator& aggregator) {
    if (const std::uint64_t lost = ledger_.newly_lost(programs_->ledger()); lost != 0)
        aggregator.add_lost(domains_[0].process->pid(), traits(), lost);
}

}  // namespace mapaudit::sources
