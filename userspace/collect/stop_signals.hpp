// SPDX-License-Identifier: Apache-2.0
//
// The signals that end an audit (SIGINT, SIGTERM, SIGHUP, SIGQUIT), blocked and made readable.
#pragma once

#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::collect {

class StopSignals {
public:
    // Blocks them in the calling thread, and ignores SIGPIPE: what cannot be written is told by the write. Before
    // anything is attached, forked or started as a thread.
    static Result<StopSignals> take();
    // Undoes that in the calling process: what a child does before it executes a command.
    static void give_back();

    // Readable once one has come.
    int fd() const noexcept { return fd_.get(); }
    // The one that came first; waits for it.
    int receive() const;

private:
    explicit StopSignals(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

}  // namespace mapaudit::collect
