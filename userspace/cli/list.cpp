// SPDX-License-Identifier: Apache-2.0
//
// mapaudit list PID: what can be audited there, without attaching to anything.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/audit_options.hpp"
#include "cli/commands.hpp"
#include "cli/source_table.hpp"
#include "output/format.hpp"
#include "util/process.hpp"

namespace mapaudit::cli {
namespace {

std::string figure(const std::optional<std::uint64_t>& value) { return value ? std::to_string(*value) : "-"; }

void print_maps(const std::vector<sources::ListedMap>& maps) {
    fmt::print("  maps ({}):\n", maps.size());
    if (!maps.empty())
        fmt::print("  {:>8}  {:<28} {:<16} {:>12} {:>12} {:>10} {:>6}\n", "ID", "NAME", "KIND", "SIZE", "BUCKETS",
                   "OVERFLOW", "GROWS");
    for (const auto& map : maps)
        fmt::print("  {:>8}  {:<28} {:<16} {:>12} {:>12} {:>10} {:>6}\n", map.id, output::escape(map.name),
                   output::escape(map.kind), figure(map.size), figure(map.buckets), figure(map.overflow),
                   figure(map.grows));
}

void print(std::string_view source, const sources::Listing& listing) {
    fmt::print("source {}  {}\n", source, output::escape(listing.path));
    for (const std::string& line : listing.lines) fmt::print("  {}\n", output::escape(line));
    if (listing.maps) print_maps(*listing.maps);
}

Result<int> list(int pid) {
    auto process = Process::open(pid);
    if (!process) return process.error();
    std::vector<Result<std::vector<sources::Listing>>> found;  // by the table
    for (const sources::SourceKind* kind : source_kinds()) found.push_back(kind->list(*process));
    if (std::none_of(found.begin(), found.end(), [](const auto& one) { return one && !one->empty(); })) {
        for (const auto& one : found)
            if (!one) return one.error();
        return nothing_to_audit(*process, source_kinds());
    }
    fmt::print("process {} ({})\n", pid, output::escape(process->comm()));
    for (std::size_t i = 0; i < found.size(); ++i) {
        const std::string_view name = source_kinds()[i]->name;
        if (!found[i]) {
            fmt::print("source {}  {}\n", name, output::escape(found[i].error().line()));
            continue;
        }
        for (const sources::Listing& listing : *found[i]) print(name, listing);
    }
    if (std::fflush(stdout) != 0) return Error::from_errno(Failure::failed, "cannot write to stdout", errno);
    return 0;
}

}  // namespace

void add_list(CLI::App& program, Outcome& outcome) {
    auto pid = std::make_shared<int>(0);
    CLI::App* command = program.add_subcommand("list", "Show what can be audited in a process: sources, probes, maps");
    command->add_option("pid", *pid, "The process")->type_name("PID")->required()->check(process_id());
    command->callback([pid, &outcome] { outcome = list(*pid); });
}

}  // namespace mapaudit::cli
