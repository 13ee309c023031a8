// SPDX-License-Identifier: Apache-2.0
//
// The usdt source: processes linked with the target library, seen through its probes and its registry.
//
//   target thread ── batch probe ──▶ eBPF program ── cells, ring ──▶ collect() ──▶ aggregator
//        └── block in its memory ◀──── read for what an idle thread still holds ────┘
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "model/stack_walker.hpp"
#include "sources/blame/blame.hpp"
#include "sources/source.hpp"
#include "sources/usdt/usdt_cells.hpp"
#include "sources/usdt/usdt_images.hpp"
#include "sources/usdt/usdt_programs.hpp"
#include "sources/usdt/usdt_registry.hpp"
#include "sources/usdt/usdt_traits.hpp"
#include "util/process.hpp"
#include "util/tick_clock.hpp"

namespace mapaudit::sources {

// No audit knows more maps than these, however many its targets make.
inline constexpr std::uint32_t largest_map_table = 1u << 16;

// One growth, as it is reported to whoever wants to see them one by one.
struct GrowEvent {
    model::MapId map;
    std::uint64_t old_buckets = 0, new_buckets = 0, duration_ns = 0, time_ns = 0;
    mapaudit_grow_reason reason = MAPAUDIT_GROW_LOAD;
    std::uint32_t part = 0;
    std::uint32_t number = 0;  // of this growth of that part, from 1; 0: not numbered
};

struct UsdtOptions {
    Level level = Level::full;
    bool per_thread = false;
    std::function<void(const GrowEvent&)> on_grow{};    // may be empty; called in the order the growths happened in
    model::StackWalker* stacks = nullptr;               // null: rare events come without stacks; outlives the source
    bool cpu = false;                                   // blame CPU samples and sleeps on maps as well
    std::function<void(const std::string&)> on_note{};  // what could not be attached and why; may be empty
    bool switchable = false;                            // the level may change later: set_level()
    std::uint32_t max_maps = 0;                         // 0: by what the targets have
    std::uint32_t max_stacks = 0;                       // call stacks told apart; 0: 4096
    std::uint32_t max_pages = 0;                        // octaves of histograms; 0: by the number of maps
};

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
    void take_events(model::Aggregator& aggregator) override { drain_events(aggregator); }
    void detach(model::Aggregator& aggregator) override;
    model::Ledger ledger() const override;
    Level level() const override { return level_; }
    Result<void> set_level(Level level, model::Aggregator& aggregator) override;
    model::Activity activity() const override;
    std::uint64_t kernel_bytes() const override {
        return programs_->kernel_bytes() + (blame_ ? blame_->kernel_bytes() : 0);
    }
    int urgent_fd() const override { return programs_->ring_fd(); }
    std::vector<model::Evidence> evidence() override;

private:
    struct Domain {
        const Process* process = nullptr;
        std::uint32_t ordinal = 0;               // among the process's domains
        std::vector<RegistryReader> candidates;  // the registry is the first of these that comes into use
        RegistryReader* registry = nullptr;
        std::uint32_t thread_base = 0, thread_limit = 0;
        wire_domain known{};                 // what the program was told of it
        bool in_use = false;                 // one of them is
        bool one_by_one = false;             // a provider without batches: its figures are in ns
        bool in_ticks = false;               // latencies are in the counter's ticks, not in ns
        std::vector<RegistryMap> at_attach;  // maps that a target which ends at once would take with it
        std::set<std::uint32_t> living;
    };
    struct Attachment {
        std::size_t image_domain = 0;
        UsdtImage image;
    };
    using CallKey = std::tuple<std::uint32_t, std::uint32_t, int>;  // domain, map, op

    explicit UsdtSource(UsdtOptions options) : options_(std::move(options)), level_(options_.level) {}

    Result<void> find(const std::vector<const Process*>& processes);
    ProgramSizes choose_sizes() const;
    Result<void> introduce_domains();
    Result<void> attach_images();
    Result<std::vector<UprobeLink>> attach_hot(Level level);
    void take_baseline(Domain& domain, std::uint32_t index);
    void start_blame();
    void tell_blocks();

    void describe_maps(Domain& domain, std::uint32_t index, model::Aggregator& aggregator);
    void drain_events(model::Aggregator& aggregator);
    void handle(const wire_event& event, std::size_t bytes, model::Aggregator& aggregator);
    void tell_growths();
    void read_cells(model::Aggregator& aggregator);
    void take_pending(Domain& domain, std::uint32_t index, model::Aggregator& aggregator);
    void take_residual(Domain& domain, std::uint32_t index, model::Aggregator& aggregator);
    void add_records(std::uint32_t domain, std::uint32_t cpu, std::uint32_t tid, const mapaudit_record* records,
                     std::size_t count, model::Aggregator& aggregator);
    void add(std::uint32_t domain, std::uint32_t map, int op, std::uint32_t cpu, std::uint32_t tid,
             const model::Counts& counts, model::Aggregator& aggregator);
    void take_residuals(model::Aggregator& aggregator);
    // Calls may have been counted without being timed: at the sampled level, or on the way to or from it.
    bool counts_calls() const { return options_.switchable || options_.level == Level::sampled; }
    std::uint64_t without_stale(const CallKey& key, std::uint64_t calls);

    model::MapId map_id(std::uint32_t domain, std::uint32_t map) const;
    // The map itself while there is room for it, else "(other)".
    std::uint32_t admit(std::uint32_t domain, std::uint32_t map);
    void describe(std::uint32_t domain, std::uint32_t map, const model::MapInfo& info,
                  model::Aggregator& aggregator) const;
    double ns_per_unit(const Domain& domain) const;
    void find_registry(Domain& domain, std::uint32_t index);
    void report_losses(model::Aggregator& aggregator);

    UsdtOptions options_;
    Level level_;
    UprobeMechanism mechanism_ = UprobeMechanism::multi;
    model::Activity activity_;  // operations only
    TickClock ticks_;
    std::vector<Domain> domains_;
    std::vector<Attachment> attachments_;
    std::unique_ptr<UsdtPrograms> programs_;
    std::unique_ptr<CellReader> cells_;
    std::vector<UprobeLink> links_, hot_links_;  // hot: what the level decides, where it may change
    std::unique_ptr<Blame> blame_;               // null: not asked for, or not permitted
    std::vector<GrowEvent> growths_;             // of this collection, as they came
    // Calls that the sampled level had counted, and not handed over, before this attach: to be left out when they come.
    std::map<CallKey, std::uint64_t> stale_;
    std::set<std::pair<std::uint32_t, std::uint32_t>> admitted_;  // maps that have rows of their own: domain, id
    std::uint64_t spilled_taken_ = 0;  // records of batches that the kernel handed over whole
    std::uint64_t pending_taken_ = 0;  // records of blocks, read here
    std::uint64_t malformed_here_ = 0;
    std::uint64_t lost_on_no_map_ = 0;  // what the aggregator was told of losses that belong to no map
};

}  // namespace mapaudit::sources
