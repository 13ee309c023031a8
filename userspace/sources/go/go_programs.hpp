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

#include "model/overhead.hpp"
#include "sources/attach/uprobe_link.hpp"
#include "sources/go/go_process.hpp"
#include "util/result.hpp"
#include "wire_go.h"

struct bpf_map;
struct go_bpf;
struct ring_buffer;

namespace mapaudit::sources {

// Bounds of the kernel-side memory, in entries.
struct GoSizes {
    std::uint32_t growths = 16384;  // maps that grow between two readings, times the places that they grow from
    std::uint32_t sites = 2048;     // places that maps grow from, or are used in
    // Maps used between two readings, times the operations and the places that use them, or times the buckets that
    // their latencies fall into. 0: operations are not counted.
    std::uint32_t calls = 0;
    std::uint32_t inside = 0;  // goroutines in operations at once, and maps that they are in. 0: nobody asks
};

struct GoGrowth {
    wire_go_growth_key key;
    wire_go_growth value;
};
struct GoCalls {
    wire_go_calls_key key;
    wire_go_calls value;
};

struct GoTaken {
    std::vector<GoGrowth> growths;
    std::vector<GoCalls> calls;
};

// What targets did for the audit, by the ledger.
model::Activity activity_of(const wire_go_ledger& ledger);

// What waits in the rings.
struct GoEvents {
    std::vector<wire_go_fatal> fatal;
    std::vector<wire_go_conflict> conflicts;
};

// Not thread safe.
class GoPrograms {
public:
    static Result<std::unique_ptr<GoPrograms>> load(const GoSizes& sizes, UprobeMechanism mechanism);
    ~GoPrograms();

    int program_fd(GoProbes kind) const;  // of operations and steps: counted, or with sizes.inside also timed
    // The growths and operations since the last call, each in one row of one call, by the time of the first. Takes some
    // milliseconds where there were any: the programs that still run with the tables have to end.
    GoTaken take();
    // Nothing: there was no room for it.
    std::optional<wire_go_site> site(const wire_go_site_key& key) const;
    // Every place with growths in no row, the sum over CPUs, in no order.
    void read_spills(const std::function<void(const wire_go_site_key&, const wire_go_spill&)>& row) const;
    // Every place with calls in no row, since the attach, in no order.
    std::vector<GoCalls> read_call_spills() const;
    // While it is open, what probes of operations see is counted. Takes effect at once. Thread safe.
    void open_window(bool open);
    // Forgets who is inside which map: while no probe of operations is attached.
    void forget_inside();
    // How much of a latency is the probes' own from now on.
    void set_span_overhead(double ns);
    // Takes all that waits in the rings.
    GoEvents drain();
    int ring_fd() const;
    // Sum over CPUs. Thread safe.
    wire_go_ledger ledger() const;
    std::uint64_t kernel_bytes() const;

private:
    explicit GoPrograms(const GoSizes& sizes) : sizes_(sizes) {}
    static int on_fatal(void* self, void* data, std::size_t bytes);
    static int on_conflict(void* self, void* data, std::size_t bytes);

    GoSizes sizes_;
    go_bpf* skeleton_ = nullptr;
    ring_buffer* ring_ = nullptr;
    std::uint64_t fired_taken_ = 0;  // nothing has come since: nothing to take
    GoEvents events_;
};

}  // namespace mapaudit::sources
