// SPDX-License-Identifier: Apache-2.0
//
// Counts in the aggregator what comes in, by whichever way: cells of the kernel's, events, blocks, counters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/aggregator.hpp"
#include "model/level.hpp"
#include "sources/usdt/usdt_cells.hpp"
#include "sources/usdt/usdt_domains.hpp"
#include "sources/usdt/usdt_events.hpp"
#include "sources/usdt/usdt_growths.hpp"
#include "sources/usdt/usdt_ledger.hpp"
#include "sources/usdt/usdt_maps.hpp"
#include "sources/usdt/usdt_options.hpp"
#include "sources/usdt/usdt_reconciler.hpp"

namespace mapaudit::sources {

// For one collection: holds on to nothing but what it was made with, which outlives it. Not thread safe.
class UsdtIntake final : public UsdtEventHandler {
public:
    struct Parts {
        const UsdtOptions& options;
        const UsdtDomains& domains;
        UsdtMaps& maps;
        UsdtReconciler& reconciler;
        UsdtLedger& ledger;
    };
    // `level`: what was attached while that happened.
    UsdtIntake(const Parts& parts, model::Level level, model::Aggregator& aggregator)
        : parts_(parts), level_(level), aggregator_(aggregator) {}

    // What a cell has gained since it was read last; of a domain that is not known, nothing.
    void take_cell(const CellOrigin& origin, model::Counts& counts);
    // What blocks hold and no batch has brought.
    void take_pending(const DomainThreads& threads);
    // What was counted, once nothing is attached any more that counts.
    void take_residual(const DomainThreads& threads);

    void on_spill(const wire_event& event, std::span<const mapaudit_record> records) override;
    void on_grow(const wire_grow& grow) override;
    void on_conflict(const wire_conflict& conflict) override;
    void on_stack(const wire_stack& stack) override;
    void on_create(const wire_create& create) override;
    void on_destroy(const wire_destroy& destroy) override;
    // Reports growths one by one, once all events that were waiting have been handled.
    void report_growths();

private:
    // Where a call was made.
    struct Origin {
        std::uint32_t domain, cpu, tid;
    };
    static Origin origin_of(const wire_event& event) { return {event.domain, event.cpu, event.tid}; }
    void add_records(const Origin& origin, std::span<const mapaudit_record> records);
    // Adds to the row of `map`, if it has one of its own or there is room for it, else to "(other)".
    void admit_and_add(const Origin& origin, std::uint32_t map, int op, const model::Counts& counts);
    void add(const Origin& origin, std::uint32_t map, int op, const model::Counts& counts);

    Parts parts_;
    model::Level level_;
    model::Aggregator& aggregator_;
    std::vector<GrowEvent> growths_;  // as they came
};

}  // namespace mapaudit::sources
