// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace mapaudit::cli {

void add_audit_options(CLI::App& command, AuditOptions& options) {
    const std::map<std::string, sources::Level> levels{
        {"full", sources::Level::full}, {"sampled", sources::Level::sampled}, {"events", sources::Level::events}};
    command.add_option("-i,--interval", options.interval_s, "Refresh every SEC seconds, fractions allowed")
        ->type_name("SEC")->check(CLI::Range(0.01, 86400.0))->capture_default_str();
    command.add_option("-d,--duration", options.duration_s, "Stop after SEC seconds (default: until ^C or the target's end)")
        ->type_name("SEC")->check(CLI::Range(0.0, 1e9));
    command.add_option("--csv", options.csv, "Write CSV to FILE, made or emptied at the start (- is stdout)")->type_name("FILE");
    command.add_option("--level", options.level,
                       "What is attached: full (every operation timed), sampled (all counted, one in 64 timed), "
                       "events (growth, creation and conflicts only); default full")
        ->type_name("LEVEL")->transform(CLI::CheckedTransformer(levels).description(""))->option_text("full|sampled|events");
    command.add_flag("--per-cpu", options.per_cpu, "Add rows for each CPU to table and CSV");
    command.add_flag("--per-thread", options.per_thread, "Add rows for each thread to table and CSV");
    command.add_option("--map", options.map_pattern, "Show only maps whose name matches REGEX")->type_name("REGEX");
    command.add_option("--top", options.top, "Show only the first N maps")->type_name("N")->check(CLI::PositiveNumber);
    command.add_option("--sort", options.sort,
                       "Sort by COLUMN: calls, p50, p90, p99, p999, max, wait, size, buckets, load, grows, name")
        ->type_name("COLUMN")->capture_default_str();
    command.add_option("--source", options.source, "Where the maps are: auto or usdt (programs linked with mapaudit_target)")
        ->option_text("auto|usdt")->check(CLI::IsMember({"auto", "usdt"}).description(""))->capture_default_str();
    command.add_flag("--plain", options.plain, "A row stream instead of the live screen (also when stdout is no terminal)");
    command.add_flag("-q", options.quiet, "Quieter: no table, no summary; errors and losses only");
    command.add_flag("-v", options.verbose, "More: every growth, and what the kernel says of the eBPF programs");
    command.add_flag("--fail-on-loss", options.fail_on_loss, "Exit 5 if any operation or event was lost");
    command.add_flag("--fail-on-conflict", options.fail_on_conflict, "Exit 5 if any conflicting access was observed");
}

Result<output::View> make_view(const AuditOptions& options) {
    output::View view;
    view.top = options.top;
    view.per_cpu = options.per_cpu;
    view.per_thread = options.per_thread;
    auto sort = output::sort_column(options.sort);
    if (!sort) return sort.error();
    view.sort = *sort;
    if (!options.map_pattern.empty()) {
        auto filter = output::MapFilter::make(options.map_pattern);
        if (!filter) return filter.error();
        view.filter = std::move(*filter);
    }
    return view;
}

}  // namespace mapaudit::cli
