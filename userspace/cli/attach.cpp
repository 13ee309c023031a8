// SPDX-License-Identifier: Apache-2.0
//
// mapaudit attach -p PID[,PID…]
#include <CLI/CLI.hpp>
#include <memory>
#include <set>
#include <vector>

#include "cli/audit.hpp"
#include "cli/commands.hpp"

namespace mapaudit::cli {
namespace {

struct Arguments {
    std::vector<int> pids;
    AuditOptions options;
};

Result<int> attach(const Arguments& arguments) {
    set_verbosity(arguments.options.verbose, arguments.options.quiet);
    auto signals = take_stop_signals();
    if (!signals) return signals.error();
    std::vector<Process> processes;
    for (const int pid : std::set(arguments.pids.begin(), arguments.pids.end())) {
        auto process = Process::open(pid);
        if (!process) return process.error();
        processes.push_back(std::move(*process));
    }
    auto outputs = Outputs::open(arguments.options);
    if (!outputs) return outputs.error();
    std::vector<const Process*> targets;
    for (const Process& process : processes) targets.push_back(&process);
    return audit(targets, arguments.options, std::move(*outputs), *signals);
}

}  // namespace

void add_attach(CLI::App& program, Outcome& outcome) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = program.add_subcommand("attach", "Audit running processes");
    command->add_option("-p,--pid", arguments->pids, "The processes")
        ->type_name("PID[,PID...]")
        ->delimiter(',')
        ->required()
        ->check(process_id());
    add_audit_options(*command, arguments->options);
    command->callback([arguments, &outcome] { outcome = attach(*arguments); });
}

}  // namespace mapaudit::cli
