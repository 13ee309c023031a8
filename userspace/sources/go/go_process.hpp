// SPDX-License-Identifier: Apache-2.0
//
// A Go program that runs: its executable, where that lies in memory, and what types, places and maps are called.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/stack.hpp"
#include "sources/attach/uprobe_link.hpp"
#include "sources/go/binary/go_binary.hpp"
#include "util/parsed_files.hpp"
#include "util/process.hpp"
#include "util/unique_fd.hpp"
#include "wire_go.h"

namespace mapaudit::sources {

enum class GoProbes {
    rare,        // where maps grow, and where the runtime ends the program: seldom hit, attached all the time
    operations,  // where operations begin
    steps,       // where iterations go on
    ends,        // where both end: their RETs, and the panic that takes the place of one
};
// Whether a function gets probes of that kind.
bool has_probes(const GoFunction& function, GoProbes kind);

// Executables; nothing of those that are no Go programs.
using GoFiles = ParsedFiles<std::optional<GoBinary>>;

// Not thread safe.
class GoProcess {
public:
    // Null: the process runs no Go program. Fails where it does and cannot be audited. `process` outlives the result.
    // What `files` knows is not parsed again.
    static Result<std::unique_ptr<GoProcess>> find(const Process& process, GoFiles& files);
    // Likewise, of one process alone.
    static Result<std::unique_ptr<GoProcess>> find(const Process& process);

    const Process& process() const { return process_; }
    const GoBinary& binary() const { return *binary_; }
    const std::string& path() const { return path_; }  // of the executable, as the kernel prints it
    // Opens the executable for attaching, also when it was replaced or deleted since.
    std::string attach_path() const { return "/proc/" + std::to_string(process_.pid()) + "/exe"; }
    // Probes of one kind, with their cookies; `index` is the process's among those audited.
    std::vector<UprobeSite> sites(GoProbes kind, std::uint32_t index) const;

    // "map[string]int", by the address of a type; empty where there is no map's type. The executable's types are known
    // after the process has ended, too; one that was made at run time (reflect.MapOf) has no name here.
    std::string type_name(std::uint64_t type);
    // Innermost first, of frames as a program saves them, from a probe outwards; the probed function is left out.
    model::Stack stack(std::span<const __u64> frames);
    // Likewise, of frames that begin with the map's own function, at its probe; no frames: none, and no reason why.
    model::Stack whole_stack(std::span<const __u64> frames);
    // The frame that a return address leads to.
    model::Frame frame(std::uint64_t return_address);

private:
    GoProcess(const Process& process, UniqueFd executable) : process_(process), executable_(std::move(executable)) {}
    Result<void> find_bias();
    bool read_file(std::uint64_t address, void* to, std::size_t bytes) const;
    std::string read_type_name(std::uint64_t type) const;

    const Process& process_;
    UniqueFd executable_;
    std::shared_ptr<const GoBinary> binary_;  // shared with all processes that run it; never null once found
    std::uint64_t bias_ = 0;                  // added to an address in the file to make one in the process
    std::string path_, module_;               // the executable, with and without its folder
    std::map<std::uint64_t, std::string> type_names_;
    std::map<std::uint64_t, model::Frame> frames_;
};

// "net/http.(*conn).serve (server.go:1830)" as it stands in a map's name: "server.go:1830 net/http.(*conn).serve".
std::string go_place(const model::Frame& frame);

}  // namespace mapaudit::sources
