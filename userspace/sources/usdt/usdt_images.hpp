// SPDX-License-Identifier: Apache-2.0
//
// Which of the files mapped into a process carry our probes, and where their registries stand in its memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sources/usdt/usdt_notes.hpp"
#include "util/parsed_files.hpp"
#include "util/process.hpp"

namespace mapaudit::sources {

struct UsdtImage {
    std::string attach_path;  // opens the mapped file itself, whatever became of its name
    std::string path;         // its name, for people
    // What the file says, shared with all who map it; never null.
    std::shared_ptr<const ElfProbes> probes = std::make_shared<const ElfProbes>();
    std::uint64_t registry = 0;  // address in the process of the one that its code uses; 0: none
};

using ProbeFiles = ParsedFiles<ElfProbes>;

// The executable first, libraries in the order of their addresses. Empty where no file has probes. What `files` knows
// is not parsed again.
Result<std::vector<UsdtImage>> find_images(const Process& process, ProbeFiles& files);
// Likewise, of one process alone.
Result<std::vector<UsdtImage>> find_images(const Process& process);

}  // namespace mapaudit::sources
