// SPDX-License-Identifier: Apache-2.0
#include "cli/attach_sources.hpp"

#include <spdlog/spdlog.h>

#include "output/format.hpp"
#include "sources/go/go_source.hpp"
#include "sources/usdt/usdt_images.hpp"
#include "sources/usdt/usdt_source.hpp"

namespace mapaudit::cli {
namespace {

void log_growth(const sources::GrowEvent& grow) {
    spdlog::debug("grow pid={} map={} part={} buckets={}->{} took={} reason={}", grow.map.pid, grow.map.id, grow.part,
                  grow.old_buckets, grow.new_buckets, output::duration(static_cast<double>(grow.duration_ns)),
                  grow.reason == MAPAUDIT_GROW_LOAD ? "load" : "overflow");
}

void log_note(const std::string& note) { spdlog::warn("{}", output::escape(note)); }

// What is parsed of an executable or a library, for all processes that are attached to.
struct Files {
    sources::ProbeFiles usdt;
    sources::GoFiles go;
};

sources::UsdtOptions usdt_options(const AuditOptions& options, model::StackWalker& stacks, Files& files) {
    sources::UsdtOptions usdt{options.level, options.per_thread};
    usdt.stacks = &stacks;
    if (options.verbose > 0) usdt.on_grow = log_growth;
    usdt.cpu = !options.no_cpu;
    usdt.on_note = log_note;
    usdt.max_maps = options.max_maps;
    usdt.max_stacks = options.max_stacks;
    usdt.switchable = options.max_overhead.has_value();
    usdt.files = &files.usdt;
    return usdt;
}

// A probe on every operation of a Go program costs it dearly: nobody gets that without having asked for it.
sources::GoOptions go_options(const AuditOptions& options) {
    // A quarter for who asks who races: a race that was not watched is not found.
    constexpr double usual_budget_percent = 5, racing_budget_percent = 25;
    sources::GoOptions go;
    const bool races = options.level_given && options.level == sources::Level::events;
    if (races)
        go.watch = sources::GoWatch::windows;
    else if (options.level_given || options.max_overhead)
        go.watch = sources::GoWatch::operations;
    const bool all_the_time = options.level_given && options.level == sources::Level::full;
    go.budget_percent = options.max_overhead.value_or(all_the_time ? 100
                                                      : races      ? racing_budget_percent
                                                                   : usual_budget_percent);
    go.max_maps = options.max_maps;
    if (options.max_stacks != 0) go.sizes.sites = options.max_stacks;
    go.on_note = log_note;
    return go;
}

// What there is to attach to.
struct Found {
    std::vector<const Process*> usdt;
    std::vector<std::unique_ptr<sources::GoProcess>> go;
};

Error nothing_in(const Process& process, const AuditOptions& options) {
    const std::string what = "nothing to audit in process " + std::to_string(process.pid());
    if (options.source == "go")
        return Error::of(Failure::no_target, what + ": it is no Go program",
                         "--source auto looks for everything that can be audited");
    return Error::of(Failure::no_target, what + ": no file mapped in it has mapaudit probes, and it is no Go program",
                     "link the program with mapaudit_target; `mapaudit list` shows what was found");
}

Result<Found> look_for(const std::vector<const Process*>& processes, const AuditOptions& options, Files& files) {
    Found found;
    for (const Process* process : processes) {
        bool any = false;
        if (options.source != "go") {
            auto images = sources::find_images(*process, files.usdt);
            if (!images) return images.error();
            any = !images->empty();
            if (any) found.usdt.push_back(process);
        }
        if (options.source != "usdt") {
            auto go = sources::GoProcess::find(*process, files.go);
            // A reason to say so, and to go on where there is something else to audit.
            if (!go && !any) return go.error();
            if (!go) log_note(go.error().line());
            if (go && *go != nullptr) {
                found.go.push_back(std::move(*go));
                any = true;
            }
        }
        if (!any) return nothing_in(*process, options);
    }
    return found;
}

}  // namespace

Result<std::vector<std::unique_ptr<sources::Source>>> attach_sources(const std::vector<const Process*>& processes,
                                                                     const AuditOptions& options,
                                                                     model::StackWalker& stacks) {
    std::vector<std::unique_ptr<sources::Source>> attached;
    Files files;
    Found found;
    if (options.source == "usdt") {
        found.usdt = processes;  // it says itself what it does not find
    } else {
        auto looked = look_for(processes, options, files);
        if (!looked) return looked.error();
        found = std::move(*looked);
    }
    if (!found.usdt.empty()) {
        auto usdt = sources::UsdtSource::attach(found.usdt, usdt_options(options, stacks, files));
        if (!usdt) return usdt.error();
        attached.push_back(std::move(*usdt));
    }
    if (!found.go.empty()) {
        auto go = sources::GoSource::attach(std::move(found.go), go_options(options));
        if (!go) return go.error();
        attached.push_back(std::move(*go));
    }
    return attached;
}

}  // namespace mapaudit::cli
