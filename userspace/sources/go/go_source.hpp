// SPDX-License-Identifier: Apache-2.0
//
// The go source: the maps of unmodified Go programs, seen where the runtime grows them and where it ends a program for
// concurrent access; and, where that is asked for, in each operation.
//
//   goroutine ── hashGrow ──▶ eBPF program ── rows by map and caller ──▶ collect() ──▶ aggregator, evidence
//       │  └──── mapassign, … ──▶ (windows) ──────────┘                     │
//       └── map's head in its memory ◀──── size and buckets, read at every interval ────┘
//
// A probe on each operation would cost a busy program most of its speed, all the time: so these come in windows, as
// many as a budget allows.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "sources/go/go_evidence.hpp"
#include "sources/go/go_maps.hpp"
#include "sources/go/go_process.hpp"
#include "sources/go/go_programs.hpp"
#include "sources/go/go_traits.hpp"
#include "sources/go/go_windows.hpp"
#include "sources/source.hpp"

namespace mapaudit::sources {

enum class GoWatch {
    growth,      // where maps grow and what ends the program: seldom, and always watched
    operations,  // also what is done with maps, counted by map and caller
    windows,     // also how long each operation takes, and which goroutines are in one map at a time
};

struct GoOptions {
    GoWatch watch = GoWatch::growth;
    double budget_percent = 100;  // of the targets' CPU time, for operations; 100: they are watched all the time
    std::uint32_t max_maps = 0;   // rows of a process; 0: 1024
    std::function<void(const std::string&)> on_note{};  // what a user should know at once; may be empty
    GoSizes sizes{};
};

class GoSource final : public Source {
public:
    // Attaches to all of `processes`, or to none.
    static Result<std::unique_ptr<GoSource>> attach(std::vector<std::unique_ptr<GoProcess>> processes,
                                                    GoOptions options,
                                                    UprobeMechanism mechanism = probe_uprobe_mechanism());

    const model::SourceTraits& traits() const override { return go_traits; }
    PricedActions priced_actions() const override { return {.breakpoints = true}; }
    void collect(model::Aggregator& aggregator) override;
    void detach(model::Aggregator& aggregator) override;
    model::Ledger ledger() const override;
    Level level() const override;
    bool has_levels() const override { return false; }
    model::Activity activity() const override;
    std::vector<model::Evidence> evidence() override;
    std::uint64_t kernel_bytes() const override { return programs_->kernel_bytes(); }
    int urgent_fd() const override { return programs_->ring_fd(); }
    std::optional<model::Watched> watched() const override { return watched_; }
    std::optional<double> budget_percent() const override;
    void set_prices(const model::Prices& prices) override;

private:
    struct Target {
        std::unique_ptr<GoProcess> process;
        GoMaps maps;
    };
    struct Growth;

    // A process may have registries of the usdt source, too: theirs are numbered below this.
    static constexpr std::uint32_t go_domain = WIRE_MAX_DOMAINS;

    explicit GoSource(GoOptions options) : options_(std::move(options)) {}
    Result<void> watch_operations(UprobeMechanism mechanism);
    void take_rows(model::Aggregator& aggregator);
    void take_spills(model::Aggregator& aggregator);
    void take_call_spills(model::Aggregator& aggregator);
    void take_fatal(const wire_go_fatal& fatal, model::Aggregator& aggregator);
    void take_conflict(const wire_go_conflict& conflict);
    void look_at_maps();
    void describe_changed(model::Aggregator& aggregator);
    void add(const Growth& growth, model::Aggregator& aggregator);
    void add(std::uint32_t process, std::uint32_t id, const GoCalls& row, model::Aggregator& aggregator);
    void add_shared(const GoCalls& row, model::Aggregator& aggregator);
    void know_type(GoCalls& row);
    void know_others(const model::MapId& key, model::Aggregator& aggregator) const;
    model::MapId key_of(std::uint32_t process, std::uint32_t id) const;
    std::string name_of(std::uint32_t process, const GoMap& map);
    model::Stack stack_of(std::uint32_t process, std::uint64_t caller);

    GoOptions options_;
    std::vector<Target> targets_;
    std::unique_ptr<GoPrograms> programs_;
    std::vector<UprobeLink> links_;
    std::unique_ptr<GoWindows> windows_;     // null: operations are not watched
    std::optional<model::Watched> watched_;  // as of the last collection
    GoEvidence evidence_;
    // By process and caller: the types that generic code knows its maps by, where it is all that is known of them.
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> shapes_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, wire_go_spill> spills_;  // as last read: process, caller
    std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint16_t>, wire_go_calls> call_spills_;  // and operation
    wire_go_ledger ledger_{};  // as of the last collection
    std::uint64_t taken_ = 0;  // growths and errors that are in the aggregator
    std::uint64_t lost_told_ = 0;
    bool attached_ = true;
};

}  // namespace mapaudit::sources
