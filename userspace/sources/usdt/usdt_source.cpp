// SPDX-License-Identifier: Apache-2.0
//
// What the usdt source does while it is attached: takes in events, cells and what threads still hold. usdt_attach.cpp
// has the way there.
#include "sources/usdt/usdt_source.hpp"

#include <algorithm>
#include <cstring>

namespace mapaudit::sources {

// A target may make maps without end; what is known of them is bounded like what is counted.
void UsdtSource::describe(std::uint32_t domain, std::uint32_t map, const model::MapInfo& info,
                          model::Aggregator& aggregator) const {
    const model::MapId key = map_id(domain, map);
    const std::size_t most = programs_->sizes().cells - programs_->sizes().others;
    if (aggregator.maps() < most || aggregator.find(key) != nullptr || admitted_.contains({domain, key.id}))
        aggregator.describe(key, info);
}

std::uint32_t UsdtSource::admit(std::uint32_t domain, std::uint32_t map) {
    if (map == model::other_maps || admitted_.contains({domain, map})) return map;
    if (admitted_.size() >= programs_->sizes().cells - programs_->sizes().others) return model::other_maps;
    admitted_.insert({domain, map});
    return map;
}

double UsdtSource::ns_per_unit(const Domain& domain) const { return domain.in_ticks ? ticks_.ns_per_tick() : 1.0; }

model::MapId UsdtSource::map_id(std::uint32_t domain, std::uint32_t map) const {
    return {domains_[domain].process->pid(), domains_[domain].ordinal, map};
}

void UsdtSource::describe_maps(Domain& domain, std::uint32_t index, model::Aggregator& aggregator) {
    if (domain.registry == nullptr) return;
    std::set<std::uint32_t> living;
    const auto tell = [&](const std::vector<RegistryMap>& maps) {
        living.clear();
        for (const RegistryMap& map : maps) {
            living.insert(map.id);
            describe(index, map.id,
                     {&usdt_traits, map.name, map.kind, map.size, map.buckets, map.overflow, true, map.checked},
                     aggregator);
        }
    };
    // Known by what they were then, those too that have gone since: the registry no longer has their names.
    const std::vector<RegistryMap> at_attach = std::exchange(domain.at_attach, {});
    tell(at_attach);
    domain.living.merge(living);
    if (auto refreshed = domain.registry->refresh(); refreshed && *refreshed)
        tell(domain.registry->maps(largest_map_table));
    else
        return;  // it has ended: the last figures stay
    for (const std::uint32_t id : domain.living) {
        const model::MapId key{domain.process->pid(), domain.ordinal, id};
        const model::MapInfo* known = living.contains(id) ? nullptr : aggregator.find(key);
        if (known == nullptr || !known->alive) continue;
        model::MapInfo gone = *known;
        gone.alive = false;
        aggregator.describe(key, gone);
    }
    domain.living = std::move(living);
}

void UsdtSource::drain_events(model::Aggregator& aggregator) {
    programs_->drain([&](const wire_event& event, std::size_t bytes) {
        if (event.domain < domains_.size()) handle(event, bytes, aggregator);
    });
    tell_growths();
}

// The probe fires after the growth's critical section, so that one thread's event may overtake another's: their numbers
// put those of one table back in order, in the places that they came in.
void UsdtSource::tell_growths() {
    std::map<std::pair<model::MapId, std::uint32_t>, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < growths_.size(); ++i) places[{growths_[i].map, growths_[i].part}].push_back(i);
    for (const auto& [table, at] : places) {
        std::vector<GrowEvent> ordered;
        for (const std::size_t i : at) ordered.push_back(growths_[i]);
        std::stable_sort(ordered.begin(), ordered.end(),
                         [](const auto& a, const auto& b) { return a.number < b.number; });
        for (std::size_t i = 0; i < at.size(); ++i) growths_[at[i]] = ordered[i];
    }
    for (const GrowEvent& grow : growths_) options_.on_grow(grow);
    growths_.clear();
}

void UsdtSource::handle(const wire_event& event, std::size_t bytes, model::Aggregator& aggregator) {
    const model::MapId key = map_id(event.domain, event.map);
    if (event.type == WIRE_EVENT_SPILL && bytes >= sizeof(wire_spill)) {
        const auto& spill = reinterpret_cast<const wire_spill&>(event);
        const std::size_t count = std::min<std::size_t>(spill.count, MAPAUDIT_BATCH);
        add_records(event.domain, event.cpu, event.tid, spill.records, count, aggregator);
        spilled_taken_ += count;
    } else if (event.type == WIRE_EVENT_GROW && bytes >= sizeof(wire_grow)) {
        const auto& grow = reinterpret_cast<const wire_grow&>(event);
        if (grow.counted == 0) {
            model::Counts counts;
            counts.calls = counts.grows = 1;
            counts.latency.add(grow.duration_ns);
            counts.latency_sum = counts.latency_max = grow.duration_ns;
            counts.buckets_grown = static_cast<std::int64_t>(grow.new_buckets - grow.old_buckets);
            add(event.domain, admit(event.domain, event.map), MAPAUDIT_OP_GROW, event.cpu, event.tid, counts,
                aggregator);
            ++spilled_taken_;
        }
        if (options_.on_grow)
            growths_.push_back({key, grow.old_buckets, grow.new_buckets, grow.duration_ns, event.time_ns,
                                static_cast<mapaudit_grow_reason>(grow.reason), grow.part, grow.number});
    } else if (event.type == WIRE_EVENT_CONFLICT && bytes >= sizeof(wire_conflict)) {
        const auto& conflict = reinterpret_cast<const wire_conflict&>(event);
        if (conflict.counted != 0) return;
        model::Counts counts;
        counts.conflicts = 1;
        const auto op = conflict.kind == MAPAUDIT_CONFLICT_WRITE_WRITE ? MAPAUDIT_OP_ASSIGN : MAPAUDIT_OP_LOOKUP;
        add(event.domain, admit(event.domain, event.map), op, event.cpu, event.tid, counts, aggregator);
        ++spilled_taken_;
    } else if (event.type == WIRE_EVENT_STACK && bytes >= sizeof(wire_stack)) {
        if (options_.stacks != nullptr) options_.stacks->take(key.pid, reinterpret_cast<const wire_stack&>(event));
    } else if (event.type == WIRE_EVENT_CREATE && bytes >= sizeof(wire_create)) {
        const auto& create = reinterpret_cast<const wire_create&>(event);
        const RegistryMap map = describe_map(*domains_[event.domain].process, create.desc);
        if (aggregator.find(key) == nullptr)
            describe(event.domain, event.map,
                     {&usdt_traits, map.name, map.kind, map.size, map.buckets, map.overflow, true, map.checked},
                     aggregator);
    } else if (event.type == WIRE_EVENT_DESTROY && bytes >= sizeof(wire_destroy)) {
        const auto& destroy = reinterpret_cast<const wire_destroy&>(event);
        const model::MapInfo* known = aggregator.find(key);
        model::MapInfo info = known != nullptr ? *known : model::MapInfo{&usdt_traits, {}, {}, {}, {}, {}, true, false};
        info.size = destroy.size;
        info.buckets = destroy.buckets;
        info.alive = false;
        describe(event.domain, event.map, info, aggregator);
        domains_[event.domain].living.erase(event.map);
    }
}

std::uint64_t UsdtSource::without_stale(const CallKey& key, std::uint64_t calls) {
    auto found = stale_.find(key);
    if (std::get<1>(key) == model::other_maps)  // one of the maps that share the row
        found = std::find_if(stale_.begin(), stale_.end(), [&](const auto& entry) {
            const auto& [domain, map, op] = entry.first;
            return domain == std::get<0>(key) && op == std::get<2>(key) && !admitted_.contains({domain, map});
        });
    if (found == stale_.end()) return calls;
    const std::uint64_t left_out = std::min(found->second, calls);
    if ((found->second -= left_out) == 0) stale_.erase(found);
    return calls - left_out;
}

void UsdtSource::read_cells(model::Aggregator& aggregator) {
    cells_->read([&](const CellOrigin& origin, model::Counts& counts) {
        if (origin.domain >= domains_.size()) return;
        if (origin.op != MAPAUDIT_OP_GROW) {
            counts.ns_per_unit = ns_per_unit(domains_[origin.domain]);
            if (!stale_.empty()) counts.calls = without_stale({origin.domain, origin.map, origin.op}, counts.calls);
        }
        if (origin.map != model::other_maps) admitted_.insert({origin.domain, origin.map});
        add(origin.domain, origin.map, origin.op, origin.cpu, origin.tid, counts, aggregator);
    });
}

void UsdtSource::add(std::uint32_t domain, std::uint32_t map, int op, std::uint32_t cpu, std::uint32_t tid,
                     const model::Counts& counts, model::Aggregator& aggregator) {
    if (op != MAPAUDIT_OP_GROW && !domains_[domain].one_by_one)
        (level_ == Level::full ? activity_.timed : activity_.counted) += counts.calls;
    if (map == model::other_maps && aggregator.find(map_id(domain, map)) == nullptr)
        aggregator.describe(map_id(domain, map), {&usdt_traits, "(other)", "", {}, {}, {}, true, false});
    aggregator.add(
        {map_id(domain, map), model::op_of(static_cast<std::uint32_t>(op)), cpu, options_.per_thread ? tid : 0},
        counts);
}

void UsdtSource::add_records(std::uint32_t domain, std::uint32_t cpu, std::uint32_t tid, const mapaudit_record* records,
                             std::size_t count, model::Aggregator& aggregator) {
    std::map<std::pair<std::uint32_t, int>, model::Counts> sums;
    for (std::size_t i = 0; i < count; ++i) {
        const mapaudit_record& record = records[i];
        if (record.op >= MAPAUDIT_HOT_OPS || record.bucket >= MAPAUDIT_BUCKETS || record.map == 0) {
            ++malformed_here_;
            continue;
        }
        model::Counts& counts = sums[{record.map, record.op}];
        if ((record.flags & MAPAUDIT_REC_COUNT) != 0) {
            if (counts_calls()) counts.calls += without_stale({domain, record.map, record.op}, record.latency);
            continue;
        }
        const int scale = (record.flags & MAPAUDIT_REC_SCALED) != 0 ? MAPAUDIT_SCALED_SHIFT : 0;
        const std::uint64_t latency = std::uint64_t{record.latency} << scale,
                            wait = std::uint64_t{record.wait} << scale;
        counts.latency.add_bucket(record.bucket, 1);
        counts.latency_sum += latency;
        counts.latency_max = std::max(counts.latency_max, latency);
        if ((record.flags & MAPAUDIT_REC_SAMPLED) == 0) ++counts.calls;
        if ((record.flags & MAPAUDIT_REC_MIGRATED) != 0) ++counts.migrations;
        if (wait != 0) {
            ++counts.waits;
            counts.wait_sum += wait;
            counts.wait.add(wait);
        }
        if ((record.flags & MAPAUDIT_REC_GREW) != 0) {
            counts.grew.add_bucket(record.bucket, 1);
            counts.grew_sum += latency;
        }
    }
    for (auto& [map_op, counts] : sums) {
        counts.ns_per_unit = ns_per_unit(domains_[domain]);
        add(domain, admit(domain, map_op.first), map_op.second, cpu, tid, counts, aggregator);
    }
}

// Takes what a thread's block holds and no batch has brought. The kernel moves the same mark when a batch arrives, so
// the compare-and-swap decides who counts a record; a copy whose records were overwritten meanwhile never wins it.
void UsdtSource::take_pending(Domain& domain, std::uint32_t index, model::Aggregator& aggregator) {
    for (const RegistryBlock& block : domain.registry->blocks(domain.thread_limit)) {
        std::uint64_t& mark = programs_->threads[domain.thread_base + block.index];
        std::uint64_t seen = __atomic_load_n(&mark, __ATOMIC_ACQUIRE);
        const std::uint64_t taken = seen & ~WIRE_TAKEN_SEEN;
        // More than a ring ahead: batches are on their way; or, at the detach, were fired when the probe had gone
        // already, and the audit of this thread ends at the mark.
        if (block.seq <= taken || block.seq - taken > MAPAUDIT_RING) continue;
        const auto records = domain.registry->records(block, taken);
        if (records.empty()) continue;
        if (!__atomic_compare_exchange_n(&mark, &seen, block.seq | (seen & WIRE_TAKEN_SEEN), false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE))
            continue;
        add_records(index, block.cpu, block.tid, records.data(), records.size(), aggregator);
        pending_taken_ += records.size();
    }
}

// What the sampled level has counted and not yet put into records; only once nothing is attached any more.
void UsdtSource::take_residual(Domain& domain, std::uint32_t index, model::Aggregator& aggregator) {
    for (const RegistryBlock& block : domain.registry->blocks(domain.thread_limit)) {
        const auto held = domain.registry->counters(block);
        if (!held) continue;
        for (const mapaudit_counter& counter : held->counters)
            for (int op = 0; op < MAPAUDIT_HOT_OPS; ++op) {
                model::Counts counts;
                counts.calls = without_stale({index, counter.map, op}, counter.calls[op]);
                counts.ns_per_unit = ns_per_unit(domain);
                if (counts.calls != 0)
                    add(index, admit(index, counter.map), op, block.cpu, block.tid, counts, aggregator);
            }
    }
}

void UsdtSource::collect(model::Aggregator& aggregator) {
    for (std::uint32_t i = 0; i < domains_.size(); ++i) {
        find_registry(domains_[i], i);
        describe_maps(domains_[i], i, aggregator);
    }
    drain_events(aggregator);
    read_cells(aggregator);
    if (blame_ != nullptr) {
        tell_blocks();
        blame_->collect(aggregator.blame());
    }
    for (std::uint32_t i = 0; i < domains_.size(); ++i)
        if (domains_[i].registry != nullptr && options_.level != Level::events)
            take_pending(domains_[i], i, aggregator);
    report_losses(aggregator);
}

void UsdtSource::detach(model::Aggregator& aggregator) {
    if (blame_ != nullptr) blame_->stop();
    links_.clear();
    hot_links_.clear();
    collect(aggregator);
    if (counts_calls() && level_ != Level::events) take_residuals(aggregator);
}

void UsdtSource::take_residuals(model::Aggregator& aggregator) {
    for (std::uint32_t i = 0; i < domains_.size(); ++i)
        if (domains_[i].registry != nullptr) take_residual(domains_[i], i, aggregator);
}

model::Activity UsdtSource::activity() const {
    const wire_ledger kernel = programs_->ledger();
    model::Activity activity = activity_;
    activity.batches = kernel.batches;
    activity.events = kernel.event_hits;
    // Hits that were preempted are not among those timed, and took what the others did.
    if (const std::uint64_t hits = activity.batches + activity.events; kernel.timed_hits != 0 && hits != 0)
        activity.program_ns = static_cast<double>(kernel.timed_ns) *
                              std::max(1.0, static_cast<double>(hits) / static_cast<double>(kernel.timed_hits));
    if (blame_ != nullptr) activity.samples = blame_->samples();
    return activity;
}

model::Ledger UsdtSource::ledger() const {
    const wire_ledger kernel = programs_->ledger();
    const std::uint64_t in_ring = kernel.spilled - spilled_taken_;  // fired, and neither handled nor lost yet
    model::Ledger ledger;
    ledger.fired = kernel.fired - in_ring + pending_taken_;
    ledger.handled = kernel.handled + spilled_taken_ + pending_taken_ - malformed_here_;
    const auto lost = [&](const char* cause, std::uint64_t count) {
        if (count != 0) ledger.lost.push_back({cause, count});
    };
    lost("unreadable memory: the batch was not resident", kernel.lost[WIRE_LOST_UNREADABLE]);
    lost("malformed: no mapaudit library writes such a record", kernel.lost[WIRE_LOST_MALFORMED] + malformed_here_);
    lost("interrupted: another hit was being counted on the same CPU", kernel.lost[WIRE_LOST_BUSY]);
    lost("histogram memory full", kernel.lost[WIRE_LOST_NO_PAGE]);
    lost("event ring full", kernel.lost[WIRE_LOST_RING]);
    lost("missed: a batch was fired that the kernel did not deliver", kernel.lost[WIRE_LOST_MISSED]);
    lost("unknown registry: a library was loaded after the attach", kernel.lost[WIRE_LOST_REGISTRY]);
    ledger.stacks_dropped = kernel.stacks_dropped;
    ledger.evidence_dropped = kernel.evidence_dropped;
    return ledger;
}

std::vector<model::Evidence> UsdtSource::evidence() {
    std::vector<model::Evidence> rows;
    programs_->read_evidence([&](const wire_evidence_key& key, const wire_evidence& value) {
        if (key.domain >= domains_.size() || value.count == 0) return;
        const Domain& domain = domains_[key.domain];
        model::Evidence row;
        row.kind = static_cast<model::EvidenceKind>(key.kind);
        row.map = model::MapDescription{.id = map_id(key.domain, key.map)};
        row.detail = key.detail;
        row.tid = key.tid;
        row.other_tid = key.other_tid;
        row.count = value.count;
        row.total_ns = value.total_ns;
        row.max_ns = value.max_ns;
        row.first_ns = value.first_ns;
        row.last_ns = value.last_ns;
        if (options_.stacks != nullptr) {
            row.stack = options_.stacks->resolved(domain.process->pid(), key.stack);
            row.other_stack = options_.stacks->resolved(domain.process->pid(), key.other_stack);
        }
        rows.push_back(std::move(row));
    });
    return model::merged(std::move(rows));
}

// Losses of a known map are on its rows; the others go on the row of their own.
void UsdtSource::report_losses(model::Aggregator& aggregator) {
    const wire_ledger kernel = programs_->ledger();
    std::uint64_t total = malformed_here_;
    for (int cause = 0; cause < WIRE_LOSSES; ++cause)
        if (cause != WIRE_LOST_NO_PAGE) total += kernel.lost[cause];
    if (total == lost_on_no_map_) return;
    aggregator.add_lost(domains_.front().process->pid(), traits(), total - lost_on_no_map_);
    lost_on_no_map_ = total;
}

}  // namespace mapaudit::sources
