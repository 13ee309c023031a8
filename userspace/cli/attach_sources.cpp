// SPDX-License-Identifier: Apache-2.0
#include "cli/attach_sources.hpp"

#include <spdlog/spdlog.h>

#include "output/format.hpp"
#include "sources/grow_event.hpp"

namespace mapaudit::cli {
namespace {

void log_growth(const sources::GrowEvent& grow) {
    spdlog::debug("grow pid={} map={} part={} buckets={}->{} took={} reason={}", grow.map.pid, grow.map.id, grow.part,
                  grow.old_buckets, grow.new_buckets, output::duration(static_cast<double>(grow.duration_ns)),
                  grow.reason == MAPAUDIT_GROW_LOAD ? "load" : "overflow");
}

void log_note(const std::string& note) { spdlog::warn("{}", output::escape(note)); }

// A source among those that were chosen, and whether it has found anything.
struct Chosen {
    const sources::SourceKind* kind;
    std::unique_ptr<sources::SourceSearch> search;
    bool found = false;
};

// Fails where none finds anything in the process: with what kept one from it, if something did.
Result<void> look(const Process& process, std::vector<Chosen>& chosen, const sources::SourceRequest& request) {
    bool any = false;
    std::vector<Error> refused;
    for (Chosen& one : chosen) {
        const auto found = one.search->look(process);
        if (!found) refused.push_back(found.error());
        if (!found || !*found) continue;
        one.found = any = true;
    }
    if (any) {
        // A reason to say so, and to go on with what else there is.
        if (request.on_note)
            for (const Error& error : refused) request.on_note(error.line());
        return {};
    }
    if (!refused.empty()) return refused.front();
    std::vector<const sources::SourceKind*> kinds;
    for (const Chosen& one : chosen) kinds.push_back(one.kind);
    Error error = nothing_to_audit(process, kinds);
    if (error.remedy.empty())
        error.remedy = "--source auto looks for everything that can be audited";
    else
        error.remedy += "; `mapaudit list` shows what was found";
    return error;
}

}  // namespace

Result<Sources> attach_sources(const std::vector<const Process*>& processes, SourceKinds kinds, std::string_view choice,
                               const sources::SourceRequest& request) {
    std::vector<Chosen> chosen;
    for (const sources::SourceKind* kind : chosen_sources(kinds, choice)) chosen.push_back({kind, kind->search()});
    for (const Process* process : processes)
        if (auto looked = look(*process, chosen, request); !looked) return looked.error();
    Sources attached;
    for (const Chosen& one : chosen) {
        if (!one.found) continue;
        auto source = one.search->attach(request);
        if (!source) return source.error();
        attached.push_back(std::move(*source));
    }
    return attached;
}

sources::SourceRequest source_request(const AuditOptions& options, model::StackWalker& stacks) {
    sources::SourceRequest request;
    request.level = options.level;
    request.races = options.races;
    request.max_overhead_percent = options.max_overhead;
    request.per_thread = options.per_thread;
    request.cpu = !options.no_cpu;
    request.max_maps = options.max_maps;
    request.max_stacks = options.max_stacks;
    request.stacks = &stacks;
    if (options.verbose > 0) request.on_grow = log_growth;
    request.on_note = log_note;
    return request;
}

}  // namespace mapaudit::cli
