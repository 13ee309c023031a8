// SPDX-License-Identifier: Apache-2.0
//
// A target's registry, read from outside: its maps, its threads' blocks, the records these still hold. The target may
// be changing any of it meanwhile, or lying: lengths are bounded, versions checked, strings cut.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mapaudit/probe_abi.h>

#include "sources/usdt/usdt_blocks.hpp"
#include "util/process.hpp"

namespace mapaudit::sources {

struct RegistryMap {
    std::uint32_t id = 0;
    std::string kind, name;
    std::optional<std::uint64_t> size, buckets, overflow, grows;
    bool checked = false;  // it looks for concurrent access that it does not allow
};

class RegistryReader final : public ThreadBlocks {
public:
    // `address` is where the registry stands in the process; it need not be in use yet.
    RegistryReader(const Process& process, std::uint64_t address) : process_(&process), address_(address) {}

    std::uint64_t address() const noexcept { return address_; }

    // Reads the head of the registry. False while it is not in use, or when the process has gone. An error when it is
    // of another version than this auditor's.
    Result<bool> refresh();
    mapaudit_clock clock() const noexcept { return static_cast<mapaudit_clock>(head_.clock); }
    // Maps alive at the last refresh.
    std::uint32_t maps_live() const noexcept { return head_.maps_live; }

    // All maps alive now, with their figures; at most `limit`.
    std::vector<RegistryMap> maps(std::size_t limit) const;
    std::vector<RegistryBlock> blocks(std::size_t limit) const override;
    std::vector<mapaudit_record> records(const RegistryBlock& block, std::uint64_t from) const override;
    std::optional<BlockCounters> counters(const RegistryBlock& block) const override;

private:
    const Process* process_;
    std::uint64_t address_;
    mapaudit_registry head_{};
};

// The figures and names in a descriptor copied out of `process`.
RegistryMap describe_map(const Process& process, const mapaudit_map_desc& desc);

}  // namespace mapaudit::sources
