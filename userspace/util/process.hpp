// SPDX-License-Identifier: Apache-2.0
//
// A process seen from outside: is it there, what is mapped in it, what does its memory hold. Everything read here is
// the other process's to choose; nothing is trusted beyond its length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit {

// One line of /proc/PID/maps that is backed by a file.
struct Mapping {
    std::uint64_t start = 0, end = 0, offset = 0;
    std::uint64_t device = 0, inode = 0;
    bool executable = false;
    std::string path;  // as the kernel prints it
};

// A piece of remote memory and where its copy goes.
struct RemoteRead {
    std::uint64_t from = 0;
    void* to = nullptr;
    std::size_t bytes = 0;
};

class Process {
public:
    // Opens the process; fails with no_target where there is none of that id.
    static Result<Process> open(int pid);

    int pid() const noexcept { return pid_; }
    // Readable once the process has ended.
    int pidfd() const noexcept { return pidfd_.get(); }
    bool alive() const;
    // Its command name, "" once it is gone.
    std::string comm() const;
    // Its file-backed mappings.
    Result<std::vector<Mapping>> mappings() const;
    // A path that opens the very file behind a mapping, also when it was replaced or deleted since, or lies in another
    // mount namespace. Empty where there is no such path.
    std::string path_to(const Mapping& mapping) const;

    // Copies memory; false when any byte of it could not be read.
    bool read(std::uint64_t from, void* to, std::size_t bytes) const;
    // Copies many pieces with few calls. Pieces that cannot be read are zeroed; returns how many could.
    std::size_t read_many(std::span<const RemoteRead> pieces) const;

private:
    Process(int pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
    int pid_;
    UniqueFd pidfd_;
};

}  // namespace mapaudit
