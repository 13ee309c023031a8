// SPDX-License-Identifier: Apache-2.0
//
// User probes attached to one file in one process, for as long as this object lives. One uprobe_multi link where the
// kernel has it (6.6 on): attached in one call, detached in one grace period. One perf event a probe where not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::sources {

struct UprobeSite {
    std::uint64_t offset = 0;            // in the file
    std::uint64_t semaphore_offset = 0;  // in the file; 0: none
    std::uint64_t cookie = 0;            // what bpf_get_attach_cookie returns in the program
};

enum class UprobeMechanism { multi, perf_events };

// Tries, once: whether BPF_LINK_CREATE knows uprobe_multi.
UprobeMechanism probe_uprobe_mechanism();

// BPF_TRACE_UPROBE_MULTI: the program must be loaded with it to be attached by a multi link. Spelled out because
// libbpf before 1.3 does not know the name.
inline constexpr int attach_type_uprobe_multi = 48;

class UprobeLink {
public:
    // Attaches `program_fd` at all sites of the file at `path`, in their order, in process `pid` alone; the semaphores
    // of all are raised on return. Either all sites are attached or none.
    static Result<UprobeLink> attach(UprobeMechanism mechanism, int program_fd, const std::string& path, int pid,
                                     const std::vector<UprobeSite>& sites);

private:
    std::vector<UniqueFd> fds_;  // closing them detaches
};

}  // namespace mapaudit::sources
