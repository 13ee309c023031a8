// SPDX-License-Identifier: Apache-2.0
//
// mapaudit attach -p PID[,PID…] | --exe FILE
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>
#include <memory>
#include <set>
#include <vector>

#include "cli/audit.hpp"
#include "cli/commands.hpp"
#include "output/format.hpp"
#include "util/executable_watch.hpp"

namespace mapaudit::cli {
namespace {

struct Arguments {
    std::vector<int> pids;
    std::string executable;  // where no ids are given
    AuditOptions options;
};

// The processes that run a file: those that do, or the first that will.
Result<std::vector<int>> running(const std::string& file, const collect::StopSignals& signals,
                                 const AuditOptions& options) {
    auto watch = ExecutableWatch::make(file);
    if (!watch) return watch.error();
    auto pids = watch->running();
    if (pids.empty() && options.quiet == 0)
        spdlog::info("waiting for a process that runs {}; ^C ends", output::escape(file));
    if (pids.empty()) pids = watch->wait(signals.fd());
    if (pids.empty()) return Error::of(Failure::no_target, "no process ran " + file);
    return pids;
}

Result<int> attach(const Arguments& arguments) {
    set_verbosity(arguments.options.verbose, arguments.options.quiet);
    auto signals = collect::StopSignals::take();
    if (!signals) return signals.error();
    std::vector<Process> processes;
    for (const int pid : std::set(arguments.pids.begin(), arguments.pids.end())) {
        auto process = Process::open(pid);
        if (!process) return process.error();
        processes.push_back(std::move(*process));
    }
    auto outputs = Outputs::open(arguments.options);
    if (!outputs) return outputs.error();
    if (!arguments.executable.empty()) {
        const auto pids = running(arguments.executable, *signals, arguments.options);
        if (!pids) return pids.error();
        for (const int pid : *pids)
            if (auto process = Process::open(pid)) processes.push_back(std::move(*process));
        if (processes.empty()) return Error::of(Failure::no_target, "what ran " + arguments.executable + " has ended");
    }
    std::vector<const Process*> targets;
    for (const Process& process : processes) targets.push_back(&process);
    return audit(targets, arguments.options, std::move(*outputs), *signals);
}

}  // namespace

void add_attach(CLI::App& program, Outcome& outcome) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = program.add_subcommand("attach", "Audit running processes");
    auto* which = command->add_option_group("which");
    which->add_option("-p,--pid", arguments->pids, "The processes")
        ->type_name("PID[,PID...]")
        ->delimiter(',')
        ->check(process_id());
    which
        ->add_option("--exe", arguments->executable,
                     "The processes that run FILE; where there is none, the next one as soon as it starts")
        ->type_name("FILE");
    which->require_option(1);
    add_audit_options(*command, arguments->options);
    command->callback([arguments, &outcome] { outcome = attach(*arguments); });
}

}  // namespace mapaudit::cli
