// SPDX-License-Identifier: Apache-2.0
//
// What the eBPF programs see of a kernel: maps, rings, user memory, the current task, the clock. One at a time; the
// stubs of the helpers act on the latest one made. Not thread-safe, but for look-ups in arrays.
#pragma once

#include <bpf/bpf_helpers.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace mapaudit::test {

// A map of any kind. Memory of an entry that is deleted or evicted goes to the next new one, as in the kernel: whoever
// still holds its address writes into that.
class FakeMap {
public:
    explicit FakeMap(const stub_map& declared);
    void resize(std::uint32_t entries);

    void* find(const void* key, unsigned cpu);
    long update(const void* key, const void* value, std::uint64_t flags, unsigned cpu);
    long erase(const void* key);

    // The entries of a hash, in the order of their keys' bytes.
    template <typename Key, typename Value>
    std::vector<std::pair<Key, Value>> rows() const {
        std::vector<std::pair<Key, Value>> all;
        for (const auto& [key, words] : entries_) {
            std::pair<Key, Value> row;
            std::memcpy(static_cast<void*>(&row.first), key.data(), sizeof(Key));
            std::memcpy(static_cast<void*>(&row.second), words->data(), sizeof(Value));
            all.push_back(row);
        }
        return all;
    }
    std::size_t size() const { return entries_.size(); }

private:
    using Words = std::vector<std::uint64_t>;

    bool is_array() const;
    bool is_per_cpu() const;
    void* value_at(Words& words, unsigned cpu) const;

    stub_map declared_;
    Words array_;
    std::map<std::string, std::unique_ptr<Words>> entries_;
    std::list<std::string> order_;  // oldest first
    std::vector<std::unique_ptr<Words>> free_;
};

// A ring buffer that can be full, or refuse. Reserved memory holds garbage.
class FakeRing {
public:
    explicit FakeRing(std::uint64_t bytes) : bytes_(bytes) {}
    void* reserve(std::uint64_t size);
    bool submit(void* data, bool keep);  // false: not of this ring
    std::uint64_t used() const { return used_; }
    bool has_open() const { return !open_.empty(); }

    // Takes what was submitted, in that order.
    std::vector<std::vector<std::byte>> drain();

    bool refuses = false;

private:
    using Record = std::pair<std::unique_ptr<std::uint64_t[]>, std::uint64_t>;

    std::uint64_t bytes_, used_ = 0;
    std::map<void*, Record> open_;
    std::deque<Record> submitted_;
};

class FakeKernel {
public:
    static constexpr unsigned cpus = 4;

    explicit FakeKernel(const stub_map* maps);
    ~FakeKernel();
    FakeKernel(const FakeKernel&) = delete;
    FakeKernel& operator=(const FakeKernel&) = delete;

    static FakeKernel& current();

    FakeMap& map(const std::string& name);
    FakeRing& ring(const std::string& name);

    // An entry of a map that must have it.
    template <typename Value, typename Key>
    Value& at(const std::string& name, const Key& key) {
        void* found = map(name).find(&key, cpu);
        if (found == nullptr) throw std::out_of_range(name);
        return *static_cast<Value*>(found);
    }

    // User memory is the test's own, but for the first page and what is hidden.
    void hide(const void* from, std::size_t bytes);
    bool is_readable(const void* from, std::size_t bytes) const;

    bool reserves_balance() const;  // each reservation was submitted or discarded

    void* map_address(const void* address, std::uint32_t index);
    FakeMap* map_at(const void* address);
    FakeRing* ring_at(const void* address);
    void end_reservation(void* data, bool keep);

    unsigned cpu = 0;
    std::uint32_t pid = 1000, tid = 1001;
    std::uint64_t namespace_device = 0, namespace_inode = 0;  // of the ids below; inode 0: there is none
    std::uint32_t namespace_pid = 0, namespace_tid = 0;
    std::uint64_t time_ns = 1'000'000;  // moves on by 1 at each look
    std::uint64_t cookie = 0;
    std::vector<std::uint64_t> frames;                        // of the current task, innermost first
    std::function<void(const volatile void*)> before_atomic;  // see stub_before_atomic()

private:
    std::map<const void*, std::unique_ptr<FakeMap>> maps_;
    std::map<const void*, std::unique_ptr<FakeRing>> rings_;
    std::map<const void*, void* const*> inner_;
    std::map<std::string, const void*> names_;
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> hidden_;
};

// The ledgers of all CPUs added up, word by word; `of_cpu` finds that of one.
template <typename Ledger, typename OfCpu>
Ledger sum_of_ledgers(OfCpu of_cpu) {
    Ledger sum{};
    auto* to = reinterpret_cast<std::uint64_t*>(&sum);
    for (unsigned cpu = 0; cpu < FakeKernel::cpus; ++cpu) {
        const auto* from = reinterpret_cast<const std::uint64_t*>(&of_cpu(cpu));
        for (std::size_t i = 0; i < sizeof sum / sizeof *to; ++i) to[i] += from[i];
    }
    return sum;
}

// What a ledger says was lost, for whatever reason.
template <typename Ledger>
std::uint64_t lost_in(const Ledger& ledger) {
    return std::accumulate(std::begin(ledger.lost), std::end(ledger.lost), std::uint64_t{0});
}

}  // namespace mapaudit::test
