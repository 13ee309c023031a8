// SPDX-License-Identifier: Apache-2.0
//
// The files whose code a process runs, held open: the very files that are mapped, whatever became of their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "util/process.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::symbols {

// One executable mapping.
struct Segment {
    std::uint64_t start = 0, end = 0;
    std::uint64_t offset = 0;  // of `start` in the file
    bool operator==(const Segment&) const = default;
};

// Which parts of a file are not to be read again, after it brought a worker down.
struct Distrust {
    bool debug_info = false, symbols = false, unwinding = false;
};

struct MappedFile {
    std::string path;  // as the target sees it
    std::uint64_t device = 0, inode = 0;
    UniqueFd fd;                    // closed: it could not be opened
    std::vector<Segment> segments;  // by address
    // Not empty: the file was opened by name, and counts only if it has this build id, read from the target's memory.
    std::vector<std::byte> expected_build_id;
    Distrust distrust;

    std::string name() const { return path.substr(path.rfind('/') + 1); }
};

class MappedFiles {
public:
    // Opens what is mapped now and was not before; true when anything changed. What is no longer mapped stays: a
    // stack captured earlier may need it, unless something else lies there now.
    Result<bool> refresh(const Process& process);

    std::vector<MappedFile>& all() { return files_; }
    const std::vector<MappedFile>& all() const { return files_; }
    int pid() const { return pid_; }

private:
    MappedFile& file_of(const Process& process, const Mapping& mapping);
    bool add(MappedFile& file, const Segment& segment);

    std::vector<MappedFile> files_;
    int pid_ = 0;
};

// The build id of a module, read from the memory of a process at its first mapping; empty where there is none.
std::vector<std::byte> build_id_in_memory(const Process& process, std::uint64_t base);

}  // namespace mapaudit::symbols
