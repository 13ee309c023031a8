// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_options.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <charconv>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "cli/source_table.hpp"
#include "sources/usdt/usdt_sizes.hpp"

namespace mapaudit::cli {

CLI::Validator process_id() {
    return CLI::Validator(
        [](const std::string& text) {
            int pid = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
            const bool good = error == std::errc() && end == text.data() + text.size() && pid > 0;
            return good ? std::string() : "'" + text + "' is no process id";
        },
        "");
}

namespace {

// CLI11's own ranges name both bounds, of which one is often of no interest to anybody.
CLI::Validator at_least(double least, const std::string& what) {
    return CLI::Validator(
        [=](const std::string& text) {
            double value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            const bool good = error == std::errc() && end == text.data() + text.size() && value >= least;
            return good ? std::string() : "'" + text + "' is no " + what;
        },
        "");
}

const std::map<std::string, std::optional<sources::Level>, std::less<>> level_names{
    {"auto", std::nullopt},
    {"events", sources::Level::events},
    {"sampled", sources::Level::sampled},
    {"full", sources::Level::full}};

std::optional<sources::Level> level_named(const std::string& name) { return level_names.at(name); }

}  // namespace

void add_audit_options(CLI::App& command, AuditOptions& options) {
    command.add_option("-i,--interval", options.interval_s, "Refresh every SEC seconds, fractions allowed")
        ->check(at_least(0.01, "interval of 0.01 seconds or more"))
        ->option_text("SEC [1]");
    command
        .add_option("-d,--duration", options.duration_s,
                    "Stop after SEC seconds (default: until ^C or the target's end)")
        ->check(at_least(0, "number of seconds"))
        ->option_text("SEC");
    command.add_option("--csv", options.csv, "Write CSV to FILE, made or emptied at the start (- is stdout)")
        ->type_name("FILE");
    command
        .add_option_function<std::string>(
            "--level", [&options](const std::string& name) { options.level = level_named(name); },
            "What is watched. events: growth, creation, conflicts, fatal errors, waits for locks; sampled: and every "
            "operation counted (Go: in windows), one in 128 timed; full: every operation timed; auto, the default: as "
            "much of it as the budget allows, and never less than sampled unless --max-overhead is given")
        ->option_text("auto|events|sampled|full")
        ->check(CLI::Validator(
            [](const std::string& name) {
                return level_names.contains(name) ? std::string()
                                                  : "'" + name + "' is no level: auto, events, sampled or full";
            },
            ""));
    command
        .add_option("--max-overhead", options.max_overhead,
                    "Keep the target's estimated slowdown under PCT percent of its CPU time: the level goes down where "
                    "it must, and up again where it can; operations of Go programs are watched in windows (default at "
                    "level auto: 5; with --races: 25; at a level that is asked for: none; 100: all the time)")
        ->check(at_least(0.01, "percentage of 0.01 or more"))
        ->option_text("PCT");
    command.add_flag("--races", options.races,
                     "Go: hold operations against one another, in windows: latencies, and conflicts that the runtime "
                     "does not see");
    command.add_flag("--per-cpu", options.per_cpu, "Add rows for each CPU to table and CSV");
    command.add_flag("--per-thread", options.per_thread, "Add rows for each thread to table and CSV");
    command.add_flag("--no-cpu", options.no_cpu,
                     "Do not sample which map the CPU time goes to, nor watch operations sleep");
    command
        .add_option("--max-maps", options.max_maps,
                    "Count at most N maps on rows of their own (default: 1024, or twice those that live at the start); "
                    "the others share a row named (other)")
        ->check(CLI::Range(1u, sources::largest_map_table).description(""))
        ->option_text("N");
    command.add_option("--max-stacks", options.max_stacks, "Tell at most N call stacks apart (default: 4096)")
        ->check(CLI::Range(1u, 1u << 20).description(""))
        ->option_text("N");
    command.add_option("--map", options.map_pattern, "Show only maps whose name matches REGEX")->type_name("REGEX");
    command.add_option("--top", options.top, "Show only the first N maps")
        ->check(at_least(1, "number of maps"))
        ->option_text("N");
    command
        .add_option("--sort", options.sort,
                    "Sort by COLUMN: trouble (time waited for locks, then time spent, then calls), calls, p50, p90, "
                    "p99, p999, max, wait, waiting, size, buckets, load, grows, cpu, name")
        ->type_name("COLUMN")
        ->capture_default_str();
    command.add_flag("--stacks", options.stacks,
                     "Show the call stacks of waits, of those who held the lock, of conflicts and growths, at the end");
    command
        .add_option("--folded", options.folded,
                    "Write these stacks to FILE at the end, folded, for flame graphs (`mapaudit report FILE`)")
        ->type_name("FILE");
    const std::vector<std::string> choices = source_choices(source_kinds());
    command.add_option("--source", options.source, "Where the maps are: " + source_help(source_kinds()))
        ->option_text(fmt::format("{}", fmt::join(choices, "|")))
        ->check(CLI::IsMember(choices).description(""))
        ->capture_default_str();
    command.add_flag("--plain", options.plain,
                     "A row stream instead of the live screen (also when stdout is no terminal)");
    command.add_flag("-q,--quiet", options.quiet, "Quieter: no table, no summary; errors and losses only");
    command.add_flag("-v,--verbose", options.verbose,
                     "More: every growth, and what the kernel says of the eBPF programs");
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
