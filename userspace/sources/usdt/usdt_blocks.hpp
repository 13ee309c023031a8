// SPDX-License-Identifier: Apache-2.0
//
// The memory of a registry's threads as it is seen from outside: a block a thread, with the records and counts in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <mapaudit/probe_abi.h>

namespace mapaudit::sources {

// Where a block stands, and the part of it before its records.
struct RegistryBlock {
    std::uint64_t address = 0;
    std::uint32_t index = 0, tid = 0, cpu = 0, epoch = 0;
    std::uint64_t seq = 0, flushed = 0;
    bool counting = false;
};

// What the sampled level has counted on one block and not yet turned into records.
struct BlockCounters {
    std::vector<mapaudit_counter> counters;  // those in use
};

class ThreadBlocks {
public:
    virtual ~ThreadBlocks() = default;
    // All blocks ever used, at most `limit`; their indices are below it.
    virtual std::vector<RegistryBlock> blocks(std::size_t limit) const = 0;
    // Records [from, block.seq) of a block; empty when they are no longer there or could not be read.
    virtual std::vector<mapaudit_record> records(const RegistryBlock& block, std::uint64_t from) const = 0;
    // The block's counters, consistent with its `seq`: nothing when a record was appended meanwhile.
    virtual std::optional<BlockCounters> counters(const RegistryBlock& block) const = 0;
};

}  // namespace mapaudit::sources
