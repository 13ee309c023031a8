// SPDX-License-Identifier: Apache-2.0
#include "cli/source_table.hpp"

#include "sources/go/go_kind.hpp"
#include "sources/usdt/usdt_kind.hpp"

namespace mapaudit::cli {
namespace {

// In the order in which they are looked for, and in which their reasons are given.
constexpr const sources::SourceKind* all_kinds[] = {
    &sources::usdt_kind,
    &sources::go_kind,
};

}  // namespace

SourceKinds source_kinds() { return all_kinds; }

std::vector<std::string> source_choices(SourceKinds kinds) {
    std::vector<std::string> choices{std::string(every_source)};
    for (const sources::SourceKind* kind : kinds) choices.emplace_back(kind->name);
    return choices;
}

std::string source_help(SourceKinds kinds) {
    std::string help;
    for (const sources::SourceKind* kind : kinds)
        help += std::string(kind->name) + " (" + std::string(kind->sees) + "), ";
    return help + std::string(every_source) + " (every one that finds something)";
}

std::vector<const sources::SourceKind*> chosen_sources(SourceKinds kinds, std::string_view choice) {
    std::vector<const sources::SourceKind*> chosen;
    for (const sources::SourceKind* kind : kinds)
        if (choice == every_source || choice == kind->name) chosen.push_back(kind);
    return chosen;
}

Error nothing_to_audit(const Process& process, SourceKinds looked) {
    std::string what = "nothing to audit in process " + std::to_string(process.pid());
    std::string remedy;
    for (std::size_t i = 0; i < looked.size(); ++i) {
        what += (i == 0 ? ": " : i + 1 < looked.size() ? ", " : ", and ") + std::string(looked[i]->absence);
        if (!looked[i]->remedy.empty()) remedy += (remedy.empty() ? "" : "; ") + std::string(looked[i]->remedy);
    }
    return Error::of(Failure::no_target, std::move(what), std::move(remedy));
}

}  // namespace mapaudit::cli
