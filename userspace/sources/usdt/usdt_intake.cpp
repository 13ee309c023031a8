// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_intake.hpp"

#include "sources/usdt/usdt_records.hpp"

namespace mapaudit::sources {

void UsdtIntake::add(const Origin& origin, std::uint32_t map, int op, const model::Counts& counts) {
    if (op != MAPAUDIT_OP_GROW && !parts_.domains[origin.domain].one_by_one)
        parts_.ledger.took_calls(level_, counts.calls);
    if (map == model::other_maps) parts_.maps.describe_others(origin.domain, aggregator_);
    aggregator_.add({parts_.domains.map_id(origin.domain, map), model::op_of(static_cast<std::uint32_t>(op)),
                     origin.cpu, parts_.options.per_thread ? origin.tid : 0},
                    counts);
}

void UsdtIntake::admit_and_add(const Origin& origin, std::uint32_t map, int op, const model::Counts& counts) {
    add(origin, parts_.maps.admission().admit(origin.domain, map), op, counts);
}

void UsdtIntake::take_cell(const CellOrigin& origin, model::Counts& counts) {
    if (origin.domain >= parts_.domains.size()) return;
    if (origin.op != MAPAUDIT_OP_GROW) {
        counts.ns_per_unit = parts_.domains.ns_per_unit(origin.domain);
        counts.calls = parts_.reconciler.without_stale({origin.domain, origin.map, origin.op}, counts.calls);
    }
    if (origin.map != model::other_maps) parts_.maps.admission().note(origin.domain, origin.map);
    add({origin.domain, origin.cpu, origin.tid}, origin.map, origin.op, counts);
}

void UsdtIntake::take_pending(const DomainThreads& threads) {
    parts_.reconciler.take_pending(threads, [&](const RegistryBlock& block, std::span<const mapaudit_record> records) {
        add_records({threads.domain, block.cpu, block.tid}, records);
        parts_.ledger.took_pending(records.size());
    });
}

void UsdtIntake::take_residual(const DomainThreads& threads) {
    parts_.reconciler.take_residual(threads,
                                    [&](const RegistryBlock& block, std::uint32_t map, int op, std::uint64_t calls) {
                                        model::Counts counts;
                                        counts.calls = calls;
                                        counts.ns_per_unit = parts_.domains.ns_per_unit(threads.domain);
                                        admit_and_add({threads.domain, block.cpu, block.tid}, map, op, counts);
                                    });
}

void UsdtIntake::add_records(const Origin& origin, std::span<const mapaudit_record> records) {
    RecordSums sums = sum_records(records);
    parts_.ledger.found_malformed(sums.malformed);
    for (auto& [map_op, sum] : sums.ops) {
        const auto& [map, op] = map_op;
        if (parts_.reconciler.counts_calls())
            sum.counts.calls += parts_.reconciler.without_stale({origin.domain, map, op}, sum.counted);
        sum.counts.ns_per_unit = parts_.domains.ns_per_unit(origin.domain);
        admit_and_add(origin, map, op, sum.counts);
    }
}

void UsdtIntake::on_spill(const wire_event& event, std::span<const mapaudit_record> records) {
    add_records(origin_of(event), records);
    parts_.ledger.took_spilled(records.size());
}

void UsdtIntake::on_grow(const wire_grow& grow) {
    const wire_event& event = grow.event;
    if (grow.counted == 0) {
        model::Counts counts;
        counts.calls = counts.grows = 1;
        counts.latency.add(grow.duration_ns);
        counts.latency_sum = counts.latency_max = grow.duration_ns;
        counts.buckets_grown = static_cast<std::int64_t>(grow.new_buckets - grow.old_buckets);
        admit_and_add(origin_of(event), event.map, MAPAUDIT_OP_GROW, counts);
        parts_.ledger.took_spilled(1);
    }
    if (parts_.options.on_grow)
        growths_.push_back({parts_.domains.map_id(event.domain, event.map), grow.old_buckets, grow.new_buckets,
                            grow.duration_ns, event.time_ns, static_cast<mapaudit_grow_reason>(grow.reason), grow.part,
                            grow.number});
}

void UsdtIntake::report_growths() {
    put_in_order(growths_);
    for (const GrowEvent& grow : growths_) parts_.options.on_grow(grow);
    growths_.clear();
}

void UsdtIntake::on_conflict(const wire_conflict& conflict) {
    if (conflict.counted != 0) return;
    model::Counts counts;
    counts.conflicts = 1;
    const auto op = conflict.kind == MAPAUDIT_CONFLICT_WRITE_WRITE ? MAPAUDIT_OP_ASSIGN : MAPAUDIT_OP_LOOKUP;
    admit_and_add(origin_of(conflict.event), conflict.event.map, op, counts);
    parts_.ledger.took_spilled(1);
}

void UsdtIntake::on_stack(const wire_stack& stack) {
    if (parts_.options.stacks != nullptr)
        parts_.options.stacks->take(parts_.domains[stack.event.domain].process->pid(), stack);
}

void UsdtIntake::on_create(const wire_create& create) {
    RegistryMap map = describe_map(*parts_.domains[create.event.domain].process, create.desc);
    map.id = create.event.map;
    parts_.maps.created(create.event.domain, map, aggregator_);
}

void UsdtIntake::on_destroy(const wire_destroy& destroy) {
    parts_.maps.destroyed(destroy.event.domain, destroy, aggregator_);
}

}  // namespace mapaudit::sources
