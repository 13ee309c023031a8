// SPDX-License-Identifier: Apache-2.0
//
// The eBPF side of the go source: the program loaded, its tables sized, emptied and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sources/uprobe_link.hpp"
#include "util/result.hpp"
#include "wire_go.h"

struct go_bpf;
struct ring_buffer;

namespace mapaudit::sources {

// Bounds of the kernel-side memory, in entries.
struct GoSizes {
    std::uint32_t growths = 16384;  // maps that grow between two readings, times the places that they grow from
    std::uint32_t sites = 2048;     // places that maps grow from
};

struct GoGrowth {
    wire_go_growth_key key;
    wire_go_growth value;
};

// Not thread safe.
class GoPrograms {
public:
    static Result<std::unique_ptr<GoPrograms>> load(const GoSizes& sizes, UprobeMechanism mechanism);
    ~GoPrograms();

    int program_fd() const;
    // The growths since the last call, each in one row of one call, by the time of the first. Takes some milliseconds
    // where there were any: the programs that still run with the table have to end.
    std::vector<GoGrowth> take_growths();
    // Nothing: there was no room for it.
    std::optional<wire_go_site> site(const wire_go_site_key& key) const;
    // Every place with growths in no row, the sum over CPUs, in no order.
    void read_spills(const std::function<void(const wire_go_site_key&, const wire_go_spill&)>& row) const;
    // Hands over every fatal error that waits in the ring.
    void drain(const std::function<void(const wire_go_fatal&)>& handle);
    int ring_fd() const;
    // Sum over CPUs.
    wire_go_ledger ledger() const;
    std::uint64_t kernel_bytes() const;

private:
    explicit GoPrograms(const GoSizes& sizes) : sizes_(sizes) {}
    static int on_event(void* self, void* data, std::size_t bytes);

    GoSizes sizes_;
    go_bpf* skeleton_ = nullptr;
    ring_buffer* ring_ = nullptr;
    bool odd_ = false;               // which table is written to
    std::uint64_t fired_taken_ = 0;  // nothing has come since: nothing to take
    const std::function<void(const wire_go_fatal&)>* handle_ = nullptr;
};

}  // namespace mapaudit::sources
