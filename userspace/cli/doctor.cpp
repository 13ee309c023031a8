// SPDX-License-Identifier: Apache-2.0
//
// mapaudit doctor [--json]: what this kernel and this user can do, and what to do about what is missing.
#include <fmt/format.h>
#include <sys/utsname.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "output/format.hpp"
#include "sources/host/capabilities.hpp"

namespace mapaudit::cli {
namespace {

constexpr std::string_view verdict_good = "Programs with mapaudit's probes can be audited here.";
constexpr std::string_view verdict_bad =
    "Nothing can be audited here: eBPF programs, ring buffers, semaphores and one of the two ways to attach are "
    "needed.";

std::string kernel_name() {
    utsname name{};
    if (::uname(&name) != 0) return "unknown kernel";
    return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

std::string table(const std::vector<sources::Capability>& capabilities, bool possible) {
    std::string text = fmt::format("mapaudit doctor on {}\n\n", kernel_name());
    for (const auto& c : capabilities) {
        text += fmt::format("{:<9} {:<20} {:<26} {}\n", sources::state_name(c.state), c.name, c.title,
                            output::escape(c.found));
        if (c.state != sources::State::ok && !c.remedy.empty())
            text += fmt::format("{:<10}{:<20} -> {}\n", "", "", output::escape(c.remedy));
    }
    return text + fmt::format("\n{}\n", possible ? verdict_good : verdict_bad);
}

std::string json(const std::vector<sources::Capability>& capabilities, bool possible) {
    nlohmann::ordered_json object{{"kernel", kernel_name()}, {"can_audit", possible}};
    auto& list = object["capabilities"] = nlohmann::ordered_json::array();
    for (const auto& c : capabilities)
        list.push_back({{"name", c.name},
                        {"state", sources::state_name(c.state)},
                        {"title", c.title},
                        {"found", c.found},
                        {"origin", c.origin},
                        {"remedy", c.remedy}});
    return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

Result<int> doctor(bool as_json, int verbose) {
    set_verbosity(verbose, 0);
    const auto capabilities = sources::ask_capabilities();
    const bool possible = sources::can_audit(capabilities);
    const std::string text = as_json ? json(capabilities, possible) : table(capabilities, possible);
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        return Error::from_errno(Failure::failed, "cannot write to stdout", errno);
    return possible ? 0 : static_cast<int>(Failure::not_permitted);
}

struct Arguments {
    bool json = false;
    int verbose = 0;
};

}  // namespace

void add_doctor(CLI::App& program, Outcome& outcome) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = program.add_subcommand(
        "doctor", "Show what this kernel and this user can do, and what to do about what is missing");
    command->add_flag("--json", arguments->json, "One JSON object on stdout instead of the table");
    command->add_flag("-v,--verbose", arguments->verbose, "Also what the kernel says of what it refuses");
    command->callback([arguments, &outcome] { outcome = doctor(arguments->json, arguments->verbose); });
}

}  // namespace mapaudit::cli
