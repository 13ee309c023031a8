// SPDX-License-Identifier: Apache-2.0
//
// What this kernel and this user can do, each capability one named flag: asked by trying, not by version, and with
// where the answer comes from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mapaudit::sources {

enum class State {
    ok,
    degraded,  // an audit does without, less well
    missing,
};

struct Capability {
    std::string name;   // "uprobe_multi": stable, for scripts
    std::string title;  // for people
    State state = State::missing;
    std::string found;   // what the answer was
    std::string origin;  // whom it was asked of: a system call that was tried, a file that was read
    std::string remedy;  // what to do about it; empty where nothing is to be done, or nothing can be
};

// "ok", "degraded" or "missing".
std::string_view state_name(State state);

// Asks everything; takes a second, three at most. Leaves nothing attached. Not thread safe: it forks.
std::vector<Capability> ask_capabilities();

// Whether a process with our probes can be audited: programs load, and one of the two ways to attach them works.
bool can_audit(const std::vector<Capability>& capabilities);

}  // namespace mapaudit::sources
