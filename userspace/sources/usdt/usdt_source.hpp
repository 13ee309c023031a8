// SPDX-License-Identifier: Apache-2.0
//
// The usdt source: processes linked with the target library, seen through its probes and its registry.
//
//   target thread ── batch probe ──▶ eBPF program ── cells, ring ──▶ collect() ──▶ aggregator
//        └── block in its memory ◀──── read for what an idle thread still holds ────┘
//
// It is made of parts, each in a file of its own; here is what they do when:
//
//   UsdtDomains     whose registries there are      UsdtReconciler  takes each call once, whichever way it comes
//   UsdtMaps        what is known of their maps     UsdtIntake      counts what comes in the aggregator
//   UsdtAttachment  what is attached where          UsdtLedger      fired, handled, lost and why
//   UsdtPrograms, CellReader: the kernel's side     UsdtBlame       CPU samples and sleeps
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sources/source.hpp"
#include "sources/usdt/usdt_attachment.hpp"
#include "sources/usdt/usdt_blame.hpp"
#include "sources/usdt/usdt_cells.hpp"
#include "sources/usdt/usdt_domains.hpp"
#include "sources/usdt/usdt_intake.hpp"
#include "sources/usdt/usdt_ledger.hpp"
#include "sources/usdt/usdt_maps.hpp"
#include "sources/usdt/usdt_options.hpp"
#include "sources/usdt/usdt_programs.hpp"
#include "sources/usdt/usdt_reconciler.hpp"
#include "sources/usdt/usdt_sizes.hpp"
#include "sources/usdt/usdt_traits.hpp"
#include "util/process.hpp"

namespace mapaudit::sources {

// An attachment to a process that holds a few maps, for the calibration.
Result<std::unique_ptr<Source>> attach_library(const Process& process);

class UsdtSource final : public Source {
public:
    // Attaches to all of `processes`, or to none. Fails with no_target when one of them has no probe of ours.
    static Result<std::unique_ptr<UsdtSource>> attach(const std::vector<const Process*>& processes, UsdtOptions options,
                                                      UprobeMechanism mechanism = probe_uprobe_mechanism());

    const model::SourceTraits& traits() const override { return usdt_traits; }
    PricedActions priced_actions() const override { return {.library = true}; }
    void collect(model::Aggregator& aggregator) override;
    void take_events(model::Aggregator& aggregator) override;
    void detach(model::Aggregator& aggregator) override;
    model::Ledger ledger() const override { return ledger_.ledger(programs_->ledger()); }
    Level level() const override { return level_; }
    Result<void> set_level(Level level, model::Aggregator& aggregator) override;
    model::Activity activity() const override;
    std::uint64_t kernel_bytes() const override {
        return programs_->kernel_bytes() + (blame_ ? blame_->kernel_bytes() : 0);
    }
    int urgent_fd() const override { return programs_->ring_fd(); }
    std::vector<model::Evidence> evidence() override;

private:
    explicit UsdtSource(UsdtOptions options)
        : options_(std::move(options)), level_(options_.level), attachment_(options_.switchable) {}

    Result<void> find(const std::vector<const Process*>& processes);
    Result<void> load(UprobeMechanism mechanism);
    void remember_maps();
    void update_maps(model::Aggregator& aggregator);
    void take_baseline();
    void take_residuals(model::Aggregator& aggregator);
    void report_losses(model::Aggregator& aggregator);
    // Calls `each` for every registry that is in use.
    void each_registry(const std::function<void(RegistryReader&, const DomainThreads&)>& each);
    UsdtIntake intake_into(model::Aggregator& aggregator) {
        return {{options_, domains_, *maps_, *reconciler_, ledger_}, level_, aggregator};
    }

    UsdtOptions options_;
    Level level_;
    UsdtDomains domains_;
    UsdtLedger ledger_;
    std::unique_ptr<UsdtPrograms> programs_;
    // As much as the programs have room for, so made with them.
    std::optional<UsdtMaps> maps_;
    std::optional<UsdtReconciler> reconciler_;
    std::unique_ptr<CellReader> cells_;
    UsdtAttachment attachment_;
    std::unique_ptr<UsdtBlame> blame_;  // null: not asked for, or not permitted
};

}  // namespace mapaudit::sources
