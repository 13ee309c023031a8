// SPDX-License-Identifier: Apache-2.0
//
// The process that reads a target's files for us. It has nothing open but those files, cannot outlive us, and may die
// of them at any time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "symbols/mapped_files.hpp"
#include "symbols/position.hpp"
#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::symbols {

// Not thread safe. Forks without executing: it must be able to answer before and after the target's end, and from
// any program that links this library. It calls nothing of ours but this folder's.
class Worker {
public:
    struct Position {
        std::uint32_t file = 0;
        Part part = Part::nothing;
    };

    // `files` as they are now are the worker's, for its life.
    static Result<std::unique_ptr<Worker>> start(const MappedFiles& files, std::chrono::milliseconds patience);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();  // ends the process

    // Nothing when the worker died of the question, or its patience with it was over; it is of no
    // more use then.
    std::optional<std::string> ask(const std::string& request);
    // What it was, or is, reading.
    Position position() const { return {marker_->file, marker_->part}; }

private:
    Worker(pid_t pid, UniqueFd channel, Marker* marker, std::chrono::milliseconds patience)
        : pid_(pid), channel_(std::move(channel)), marker_(marker), patience_(patience) {}

    pid_t pid_;
    UniqueFd channel_;
    Marker* marker_;  // in memory shared with the process
    std::chrono::milliseconds patience_;
};

}  // namespace mapaudit::symbols
