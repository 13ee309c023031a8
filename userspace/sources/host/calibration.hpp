// SPDX-License-Identifier: Apache-2.0
//
// What auditing costs a target on this host, found by auditing a process made for it: a fork of this one, which
// attaches to itself through the same eBPF program and the same links as any target, and ends. It runs beside the
// start of the audit proper and delays nothing: 130 ms on the machine it was written on, 200 at most.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <utility>

#include "model/overhead.hpp"
#include "sources/source.hpp"
#include "util/process.hpp"
#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::sources {

// Attaches to a process that is linked with the map library, as an audit would at level full.
using AttachLibrary = Result<std::unique_ptr<Source>> (*)(const Process&);

// What is to be priced: what is not asked for keeps its usual price, and takes no time.
struct CalibrationRequest {
    AttachLibrary attach_library = nullptr;  // null: operations and events of the map library are not asked for
    bool breakpoints = false;                // probes in programs that were not made for them
};

class Calibration {
public:
    static Result<Calibration> start(CalibrationRequest request);
    Calibration(Calibration&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), results_(std::move(other.results_)), start_(other.start_) {}
    Calibration& operator=(Calibration&&) = delete;
    ~Calibration();  // ends it

    // Readable once the prices are known, or cannot be had.
    int fd() const noexcept { return results_.get(); }
    // Waits for them, no longer than until `longest` after the start. Once.
    Result<model::Prices> finish(std::chrono::milliseconds longest = std::chrono::milliseconds(200));

private:
    Calibration(pid_t pid, UniqueFd results, std::chrono::steady_clock::time_point start)
        : pid_(pid), results_(std::move(results)), start_(start) {}
    pid_t pid_;
    UniqueFd results_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace mapaudit::sources
