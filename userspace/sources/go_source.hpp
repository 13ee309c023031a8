// SPDX-License-Identifier: Apache-2.0
//
// The go source: the maps of unmodified Go programs, seen where the runtime grows them and where it ends a program for
// concurrent access.
//
//   goroutine ── hashGrow ──▶ eBPF program ── rows by map and caller ──▶ collect() ──▶ book, evidence
//       └── map's head in its memory ◀──── size and buckets, read at every interval ────┘
//
// Look-ups and assignments are not watched: a probe on each would cost a busy program most of its speed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sources/go_evidence.hpp"
#include "sources/go_maps.hpp"
#include "sources/go_process.hpp"
#include "sources/go_programs.hpp"
#include "sources/source.hpp"

namespace mapaudit::sources {

struct GoOptions {
    std::uint32_t max_maps = 0;                         // rows of a process; 0: 1024
    std::function<void(const std::string&)> on_note{};  // what a user should know at once; may be empty
    GoSizes sizes{};
};

class GoSource final : public Source {
public:
    // Attaches to all of `processes`, or to none.
    static Result<std::unique_ptr<GoSource>> attach(std::vector<std::unique_ptr<GoProcess>> processes,
                                                    GoOptions options,
                                                    UprobeMechanism mechanism = probe_uprobe_mechanism());

    std::string_view name() const override { return "go"; }
    void collect(model::Book& book) override;
    void detach(model::Book& book) override;
    model::Ledger ledger() const override;
    Level level() const override { return Level::events; }
    bool has_levels() const override { return false; }
    model::Activity activity() const override;
    std::vector<model::Evidence> evidence() override;
    std::uint64_t kernel_bytes() const override { return programs_->kernel_bytes(); }
    int urgent_fd() const override { return programs_->ring_fd(); }

private:
    struct Target {
        std::unique_ptr<GoProcess> process;
        GoMaps maps;
    };
    struct Growth;

    explicit GoSource(GoOptions options) : options_(std::move(options)) {}
    void take_growths(model::Book& book);
    void take_spills(model::Book& book);
    void take_fatal(const wire_go_fatal& fatal, model::Book& book);
    void look_at_maps();
    void describe_changed(model::Book& book);
    void add(const Growth& growth, model::Book& book);
    model::MapKey key_of(std::uint32_t process, std::uint32_t id) const;
    std::string name_of(std::uint32_t process, const GoMap& map);
    model::Stack stack_of(std::uint32_t process, std::uint64_t caller);

    GoOptions options_;
    std::vector<Target> targets_;
    std::unique_ptr<GoPrograms> programs_;
    std::vector<UprobeLink> links_;
    GoEvidence evidence_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, wire_go_spill> spills_;  // as last read: process, caller
    wire_go_ledger ledger_{};                                                  // as of the last collection
    std::uint64_t taken_ = 0;  // growths and errors that are in the book
    std::uint64_t lost_told_ = 0;
    bool attached_ = true;
};

}  // namespace mapaudit::sources
