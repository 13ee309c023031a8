// SPDX-License-Identifier: Apache-2.0
//
// The eBPF side of the blame: the sampling program and, where the kernel has BTF, the scheduler's, over one set of
// tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "sources/attach/perf_event.hpp"
#include "util/result.hpp"
#include "wire.h"

struct blame_cpu_bpf;
struct blame_sched_bpf;
struct bpf_link;

namespace mapaudit::sources {

// Bounds of the kernel-side memory, in entries.
struct BlameSizes {
    std::uint32_t blames = 4096;   // maps times operations
    std::uint32_t threads = 8192;  // known at once
};

// Not thread safe.
class BlamePrograms {
public:
    static Result<std::unique_ptr<BlamePrograms>> load(const BlameSizes& sizes);
    BlamePrograms(const BlamePrograms&) = delete;
    BlamePrograms& operator=(const BlamePrograms&) = delete;
    ~BlamePrograms();

    // From here on the overflows of `events` (taken over) run the program with `cookie` (wire.h).
    Result<void> sample(std::vector<UniqueFd> events, std::uint64_t cookie);
    // From here on sleeps and preemptions are seen. Fails where the kernel has no BTF, or no tracepoint for it.
    Result<void> watch_scheduler();
    // Nothing runs any more on return; the tables stay.
    void stop();

    Result<void> set_process(std::uint32_t pid, const wire_blame_process& process);
    void forget_process(std::uint32_t pid);
    void set_registry(std::uint32_t domain, std::uint64_t address);
    // What a thread's block is at, and that it is not any more. False where the table is full.
    bool set_block(std::uint32_t domain, std::uint32_t tid, std::uint64_t address);
    void forget_block(std::uint32_t domain, std::uint32_t tid);

    // All of the blame table: wire_blame_key() and what it holds now.
    std::vector<std::pair<std::uint64_t, wire_blame>> blames() const;
    // Who is off the CPU inside an operation now: the kernel's thread ids and what they were in. Empty without the
    // scheduler's program.
    std::vector<std::pair<std::uint32_t, wire_off_cpu>> off_cpus() const;
    wire_blame_rest rest(std::uint32_t index) const;
    std::uint64_t kernel_bytes() const;

private:
    BlamePrograms() = default;
    Result<void> load_scheduler();

    BlameSizes sizes_;
    blame_cpu_bpf* cpu_ = nullptr;
    blame_sched_bpf* sched_ = nullptr;
    std::vector<bpf_link*> links_;
};

}  // namespace mapaudit::sources
