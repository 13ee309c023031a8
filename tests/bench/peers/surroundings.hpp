// SPDX-License-Identifier: Apache-2.0
//
// What the peers leave beside their output: sockets in /run, shared memory in /dev/shm, dot files in HOME, traces,
// helpers of their own. All of it goes to places of our own, which vanish with this process.
#pragma once

#include <filesystem>

namespace mapaudit::bench {

// A folder for traces, on disk; made empty, removed with all that is in it by the destructor.
class Scratch {
public:
    // Throws std::filesystem::filesystem_error.
    explicit Scratch(std::filesystem::path folder);
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();

    const std::filesystem::path& path() const noexcept { return folder_; }

private:
    std::filesystem::path folder_;
};

// Whoever loses its parent below this process becomes a child of it. The destructor ends and reaps all that are left;
// no test::Child may be alive by then.
class Orphanage {
public:
    Orphanage();
    Orphanage(const Orphanage&) = delete;
    Orphanage& operator=(const Orphanage&) = delete;
    ~Orphanage();
};

// Gives this process, and those it will start, mounts of its own: an empty /run and /dev/shm, and tracefs, which perf
// looks for and which need not be mounted here; also a HOME in `scratch`. Needs CAP_SYS_ADMIN and a process of one
// thread. Throws BenchError.
void move_into_own_surroundings(const Scratch& scratch);

}  // namespace mapaudit::bench
