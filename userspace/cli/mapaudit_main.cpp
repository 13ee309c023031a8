// SPDX-License-Identifier: Apache-2.0
//
// mapaudit: which hash maps of a running process are hot, slow, growing, contended or raced.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli/commands.hpp"

namespace {

constexpr const char* footer =
    "Exit status: 0 done, 1 failed, 2 usage, 3 no such process or nothing to audit in it,\n"
    "4 privilege or kernel feature missing, 5 a --fail-on gate did not hold.";

int run(int argc, char** argv) {
    using namespace mapaudit;
    CLI::App program{"Audits the hash maps of running processes, live and per map."};
    program.footer(footer);
    program.require_subcommand(1);
    program.set_version_flag("--version", MAPAUDIT_VERSION);
    cli::Outcome outcome;
    cli::add_attach(program, outcome);
    cli::add_run(program, outcome);
    cli::add_list(program, outcome);
    cli::add_report(program, outcome);
    cli::add_doctor(program, outcome);
    try {
        program.parse(argc, argv);
    } catch (const CLI::Success& asked) {  // --help, --version
        return program.exit(asked);
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "mapaudit: %s (see mapaudit --help)\n", error.what());
        return static_cast<int>(Failure::usage);
    }
    if (*outcome) return **outcome;
    std::fprintf(stderr, "mapaudit: %s\n", outcome->error().line().c_str());
    return static_cast<int>(outcome->error().kind);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "mapaudit: %s\n", error.what());
        return 1;
    }
}
