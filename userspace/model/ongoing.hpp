// SPDX-License-Identifier: Apache-2.0
//
// Sleeps that have not ended yet. The kernel counts one when it ends; an operation stuck for longer than an audit
// would never show. So what has passed is credited at each collection, and taken back once the kernel has counted it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "model/blame.hpp"

namespace mapaudit::model {

// A thread that is off the CPU inside an operation now.
struct OffCpu {
    std::uint32_t tid = 0;
    std::uint64_t since_ns = 0;   // CLOCK_MONOTONIC
    std::uint64_t operation = 0;  // wire_blame_key()
    bool preempted = false;       // it wants to run; else it sleeps
    bool waiting = false;         // for the map's lock
    bool holding = false;         // the map's lock
};

// By wire_blame_key().
using Gained = std::map<std::uint64_t, OpBlame>;

// Not thread safe.
class Ongoing {
public:
    // `off` is who was off the CPU just before `gained` was read, `now_ns` the time then. Changes `gained` to what was
    // gained with everything that is under way, and never below nothing: what is to be taken back and not there yet
    // waits for the next time.
    void settle(const std::vector<OffCpu>& off, std::uint64_t now_ns, Gained& gained);

private:
    struct Credit {
        OffCpu off;
        std::uint64_t ns = 0;
    };
    void take_back_ended(const std::vector<OffCpu>& off);
    void pay(Gained& gained);

    std::map<std::uint32_t, Credit> credits_;  // by thread
    Gained owed_;
};

}  // namespace mapaudit::model
