// SPDX-License-Identifier: Apache-2.0
//
// The eBPF side of the usdt source: the program loaded, its maps sized and mapped into this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "sources/attach/uprobe_link.hpp"
#include "util/result.hpp"
#include "wire.h"

struct usdt_bpf;
struct ring_buffer;

namespace mapaudit::sources {

// Bounds of the kernel-side memory, in entries.
struct ProgramSizes {
    std::uint32_t lanes = 1;    // CPUs
    std::uint32_t cells = 1;    // a lane: maps, or maps times threads where these are told apart, and `others`
    std::uint32_t others = 1;   // of these cells, the first: "(other)", one a domain
    std::uint32_t pages = 1;    // histogram octaves, over all lanes; at least pages_for_others() and one
    std::uint32_t extras = 1;   // operations that may have histograms of waits and growths, over all lanes
    std::uint32_t threads = 1;  // thread blocks, over all domains
    std::uint32_t stacks = 1;   // call stacks told apart
    bool per_thread = false;

    // Pages kept for "(other)": all that its histograms of latencies can need, and some for its waits.
    std::uint32_t pages_for_others() const { return lanes * others * MAPAUDIT_OPS * MAPAUDIT_OCTAVES; }
};

// An array map of the kernel's, seen through shared memory.
template <class Entry>
class MappedArray {
public:
    MappedArray() = default;
    static Result<MappedArray> map(int fd, std::uint32_t entries, bool writable);
    MappedArray(MappedArray&& other) noexcept;
    MappedArray& operator=(MappedArray&& other) noexcept;
    ~MappedArray();

    std::uint32_t size() const noexcept { return entries_; }
    Entry& operator[](std::size_t index) const noexcept { return data_[index]; }

private:
    Entry* data_ = nullptr;
    std::uint32_t entries_ = 0;
};

class UsdtPrograms {
public:
    static Result<std::unique_ptr<UsdtPrograms>> load(const ProgramSizes& sizes, UprobeMechanism mechanism);
    ~UsdtPrograms();

    int program_fd() const;
    // Makes a domain known to the program; call before attaching with its index in the cookie.
    Result<void> set_domain(std::uint32_t index, const wire_domain& domain);
    // Hands every event waiting in the ring to `handle`, in the order they happened on their CPU.
    void drain(const std::function<void(const wire_event&, std::size_t bytes)>& handle);
    int ring_fd() const;
    // Sum over CPUs.
    wire_ledger ledger() const;
    // Every row of the evidence table, in no order.
    void read_evidence(const std::function<void(const wire_evidence_key&, const wire_evidence&)>& row) const;
    const ProgramSizes& sizes() const noexcept { return sizes_; }
    std::uint64_t kernel_bytes() const;

    MappedArray<const wire_slot> slots;
    MappedArray<const wire_cell> cells;
    MappedArray<const wire_page> pages;
    MappedArray<const wire_extra> extras;
    MappedArray<std::uint64_t> threads;  // what has been taken of each block (wire.h)

private:
    UsdtPrograms() = default;
    Result<void> map_all();
    static int on_event(void* self, void* data, std::size_t bytes);

    ProgramSizes sizes_;
    usdt_bpf* skeleton_ = nullptr;
    ring_buffer* ring_ = nullptr;
    MappedArray<const wire_ledger> ledgers_;
    const std::function<void(const wire_event&, std::size_t)>* handle_ = nullptr;
};

}  // namespace mapaudit::sources
