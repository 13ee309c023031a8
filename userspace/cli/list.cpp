// SPDX-License-Identifier: Apache-2.0
//
// mapaudit list PID: what can be audited there, without attaching to anything.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "output/format.hpp"
#include "sources/go/go_process.hpp"
#include "sources/usdt/usdt_images.hpp"
#include "sources/usdt/usdt_registry.hpp"
#include "util/process.hpp"

namespace mapaudit::cli {
namespace {

constexpr std::size_t maps_limit = 1 << 16;

std::string figure(const std::optional<std::uint64_t>& value) { return value ? std::to_string(*value) : "-"; }

void print_image(const sources::UsdtImage& image) {
    std::string names;
    for (const auto& site : image.probes->sites) names += (names.empty() ? "" : " ") + output::escape(site.name);
    fmt::print("source usdt  {}\n  probes ({}): {}\n", output::escape(image.path), image.probes->sites.size(), names);
}

Result<std::size_t> print_maps(const Process& process, const sources::UsdtImage& image) {
    if (image.registry == 0) return std::size_t{0};
    sources::RegistryReader registry(process, image.registry);
    auto in_use = registry.refresh();
    if (!in_use) return in_use.error();
    if (!*in_use) return std::size_t{0};
    const auto maps = registry.maps(maps_limit);
    fmt::print("  maps ({}):\n", maps.size());
    if (!maps.empty())
        fmt::print("  {:>8}  {:<28} {:<16} {:>12} {:>12} {:>10} {:>6}\n", "ID", "NAME", "KIND", "SIZE", "BUCKETS",
                   "OVERFLOW", "GROWS");
    for (const auto& map : maps)
        fmt::print("  {:>8}  {:<28} {:<16} {:>12} {:>12} {:>10} {:>6}\n", map.id, output::escape(map.name),
                   output::escape(map.kind), figure(map.size), figure(map.buckets), figure(map.overflow),
                   figure(map.grows));
    return maps.size();
}

std::string names_of(const sources::GoBinary& binary, sources::GoProbes kind) {
    std::string names;
    for (const sources::GoFunction& function : binary.functions())
        if (sources::has_probes(function, kind)) names += (names.empty() ? "" : " ") + output::escape(function.name);
    return names.empty() ? "none" : names;
}

void print_go(const sources::GoProcess& process) {
    const sources::GoBinary& binary = process.binary();
    fmt::print("source go  {}\n  {}, {} maps\n", output::escape(process.path()),
               binary.version().empty() ? "version not known" : output::escape(binary.version()),
               binary.design() == sources::GoMapDesign::classic ? "classic" : "swiss");
    fmt::print("  watched always, growth and fatal errors: {}\n", names_of(binary, sources::GoProbes::rare));
    fmt::print("  with --level sampled (in windows) or full (all the time), operations: {}\n",
               names_of(binary, sources::GoProbes::operations));
    fmt::print("  with --level events (in windows), also their returns, and: {}\n",
               names_of(binary, sources::GoProbes::steps));
    for (const sources::GoRefusal& refusal : binary.refused())
        fmt::print("  left alone: {}: {}\n", output::escape(refusal.function), output::escape(refusal.reason));
}

Result<int> list(int pid) {
    auto process = Process::open(pid);
    if (!process) return process.error();
    auto images = sources::find_images(*process);
    if (!images) return images.error();
    auto go = sources::GoProcess::find(*process);
    if (!go && images->empty()) return go.error();
    if (images->empty() && *go == nullptr)
        return Error::of(Failure::no_target,
                         "nothing to audit in process " + std::to_string(pid) +
                             ": no file mapped in it has mapaudit probes, and it is no Go program",
                         "link the program with mapaudit_target");
    fmt::print("process {} ({})\n", pid, output::escape(process->comm()));
    for (const auto& image : *images) {
        print_image(image);
        auto printed = print_maps(*process, image);
        if (!printed) return printed.error();
    }
    if (!go) fmt::print("source go  {}\n", output::escape(go.error().line()));
    if (go && *go != nullptr) print_go(**go);
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
