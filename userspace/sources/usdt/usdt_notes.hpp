// SPDX-License-Identifier: Apache-2.0
//
// Our probes in an ELF file: where each site and its semaphore stand, and where the registry is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "util/result.hpp"

namespace mapaudit::sources {

struct ProbeSite {
    std::string name;                    // "batch", …
    std::uint64_t offset = 0;            // of the site in the file
    std::uint64_t semaphore_offset = 0;  // of its semaphore in the file; 0: it has none
};

struct ElfProbes {
    std::vector<ProbeSite> sites;          // of provider `mapaudit` only; one a probe
    std::uint64_t registry_address = 0;    // link-time address; 0: the file has no registry
    std::uint64_t first_load_address = 0;  // link-time address and file offset of the first executable segment:
    std::uint64_t first_load_offset = 0;   // what turns a mapping's address into a load bias
};

// Reads the file at `path`. A file without our probes gives an empty list; one that is no ELF file, or a damaged one,
// an error. The parser is libelf's; every string and offset it hands out is bounds-checked here.
Result<ElfProbes> read_probes(const std::string& path);

}  // namespace mapaudit::sources
