// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_kind.hpp"

#include "sources/go/go_process.hpp"
#include "sources/go/go_source.hpp"
#include "sources/go/go_traits.hpp"

namespace mapaudit::sources {
namespace {

// A probe on every operation of a Go program costs it dearly: nobody gets that without having asked for it.
GoOptions options_of(const SourceRequest& request) {
    // A quarter for who asks who races: a race that was not watched is not found.
    constexpr double racing_budget_percent = 25;
    GoOptions options;
    if (request.races)
        options.watch = GoWatch::windows;
    else if (request.level != Level::events)
        options.watch = GoWatch::operations;
    const bool all_the_time = request.level == Level::full;
    options.budget_percent = request.max_overhead_percent.value_or(request.races  ? racing_budget_percent
                                                                   : all_the_time ? 100
                                                                                  : automatic_budget_percent);
    options.max_maps = request.max_maps;
    if (request.max_stacks != 0) options.sizes.sites = request.max_stacks;
    options.on_note = request.on_note;
    return options;
}

class GoSearch final : public SourceSearch {
public:
    Result<bool> look(const Process& process) override {
        auto program = GoProcess::find(process, files_);
        if (!program) return program.error();
        if (*program == nullptr) return false;
        found_.push_back(std::move(*program));
        return true;
    }

    Result<std::unique_ptr<Source>> attach(const SourceRequest& request) override {
        auto attached = GoSource::attach(std::move(found_), options_of(request));
        if (!attached) return attached.error();
        return std::unique_ptr<Source>(std::move(*attached));
    }

private:
    std::vector<std::unique_ptr<GoProcess>> found_;
    GoFiles files_;
};

std::unique_ptr<SourceSearch> make_search() { return std::make_unique<GoSearch>(); }

std::string names_of(const GoBinary& binary, GoProbes kind) {
    std::string names;
    for (const GoFunction& function : binary.functions())
        if (has_probes(function, kind)) names += (names.empty() ? "" : " ") + function.name;
    return names.empty() ? "none" : names;
}

Result<std::vector<Listing>> list(const Process& process) {
    const auto program = GoProcess::find(process);
    if (!program) return program.error();
    std::vector<Listing> listings;
    if (*program == nullptr) return listings;
    const GoBinary& binary = (*program)->binary();
    Listing listing{(*program)->path(), {}, {}};
    listing.lines.push_back((binary.version().empty() ? "version not known" : binary.version()) +
                            (binary.design() == GoMapDesign::classic ? ", classic maps" : ", swiss maps"));
    listing.lines.push_back("watched always, growth and fatal errors: " + names_of(binary, GoProbes::rare));
    listing.lines.push_back("at level auto and sampled in windows, at level full all the time, operations: " +
                            names_of(binary, GoProbes::operations));
    listing.lines.push_back("with --races (in windows), also their returns, and: " + names_of(binary, GoProbes::steps));
    for (const GoRefusal& refusal : binary.refused())
        listing.lines.push_back("left alone: " + refusal.function + ": " + refusal.reason);
    listings.push_back(std::move(listing));
    return listings;
}

}  // namespace

const SourceKind go_kind{go_traits.name, "Go programs as they are", "it is no Go program", "", make_search, list};

}  // namespace mapaudit::sources
