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
    std::vector<ProbeSite> sites;        // of provider `mapaudit` only; one a probe
    std::uint64_t registry_address = 0;  // link-time address; 0: the file has no registry
    // Link-time address of where the dynamic linker leaves the address of the registry that the file's code uses, which
    // may be another file's; 0: its own.
    std::uint64_t registry_slot = 0;
    std::uint64_t first_load_address = 0;  // link-time address and file offset of the first executable segment:
    std::uint64_t first_load_offset = 0;   // what turns a mapping's address into a load bias
};

// Reads an open file; `path` is what errors call it. A file without our probes gives an empty list; one that is no ELF
// file, or has more notes than any program, an error. Any file may be given: the parser is libelf's, every string and
// offset that it hands out is bounds-checked here, and no offset returned lies outside of the file. The time that it
// takes grows with the number of its notes, headers, symbols and relocations, and no faster.
Result<ElfProbes> read_probes(int fd, const std::string& path);
// Likewise, of the file at `path`.
Result<ElfProbes> read_probes(const std::string& path);

}  // namespace mapaudit::sources
