// SPDX-License-Identifier: Apache-2.0
//
// What a source registers of itself: its name, how it looks for itself in a process, how it attaches. Whoever audits
// goes through a table of these and knows no source by its own type.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/stack_walker.hpp"
#include "sources/grow_event.hpp"
#include "sources/source.hpp"
#include "util/process.hpp"
#include "util/result.hpp"

namespace mapaudit::sources {

// The budget of level auto, where none is named.
inline constexpr double automatic_budget_percent = 5;

// What the user asked of an audit, for every source to make its own options of; each takes what concerns it.
struct SourceRequest {
    std::optional<Level> level;                  // empty: auto, what the budget allows
    std::optional<double> max_overhead_percent;  // empty: the default of the level
    bool races = false;                          // operations are to be held against one another
    bool per_thread = false;
    bool cpu = true;                                    // blame CPU time on maps, too
    std::uint32_t max_maps = 0, max_stacks = 0;         // 0: by what the targets have
    model::StackWalker* stacks = nullptr;               // outlives the source; null: no stacks
    std::function<void(const GrowEvent&)> on_grow{};    // one growth, where they are told one by one; may be empty
    std::function<void(const std::string&)> on_note{};  // what a user should know at once; may be empty
};

// One audit's search for what a source can attach to, and the attachment. Not thread safe.
class SourceSearch {
public:
    virtual ~SourceSearch() = default;
    // Whether there is something in the process, which outlives the source. Fails where there is, and it cannot be
    // audited. Attaches to nothing.
    virtual Result<bool> look(const Process& process) = 0;
    // Attaches to every process in which there was something, one at least, or to none. Once.
    virtual Result<std::unique_ptr<Source>> attach(const SourceRequest& request) = 0;
};

// A map, as it is listed without attaching to anything.
struct ListedMap {
    std::uint32_t id = 0;
    std::string name, kind;  // as the process gave them: escape before printing
    std::optional<std::uint64_t> size, buckets, overflow, grows;
};

// A file in which a source finds something to attach to. Text may be the process's own: escape before printing.
struct Listing {
    std::string path;
    std::vector<std::string> lines;              // what there is, for people
    std::optional<std::vector<ListedMap>> maps;  // nothing: they are not known before the attach
};

struct SourceKind {
    std::string_view name;     // as --source has it
    std::string_view sees;     // "programs linked with mapaudit_target"
    std::string_view absence;  // why there is nothing in a process: "it is no Go program"
    std::string_view remedy;   // what would change that; empty where nothing does
    std::unique_ptr<SourceSearch> (*search)();
    // What it finds in a process, empty where that is nothing. Fails as SourceSearch::look() does.
    Result<std::vector<Listing>> (*list)(const Process& process);
};

}  // namespace mapaudit::sources
