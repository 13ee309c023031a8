// SPDX-License-Identifier: Apache-2.0
#include "fake_kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace mapaudit::test {
namespace {

FakeKernel* the_kernel = nullptr;

std::size_t words_for(std::size_t bytes) { return (bytes + 7) / 8; }

constexpr std::uint64_t ring_header = 8;  // ahead of each record, as in the kernel

std::uint64_t in_ring(std::uint64_t size) { return (size + ring_header + 7) / 8 * 8; }

}  // namespace

FakeMap::FakeMap(const stub_map& declared) : declared_(declared) { resize(declared.max_entries); }

void FakeMap::resize(std::uint32_t entries) {
    declared_.max_entries = entries;
    const std::size_t values = is_per_cpu() ? std::size_t{entries} * FakeKernel::cpus : entries;
    if (is_array()) array_.assign(values * words_for(declared_.value_size), 0);
}

bool FakeMap::is_array() const {
    return declared_.type == BPF_MAP_TYPE_ARRAY || declared_.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

bool FakeMap::is_per_cpu() const {
    return declared_.type == BPF_MAP_TYPE_PERCPU_ARRAY || declared_.type == BPF_MAP_TYPE_PERCPU_HASH;
}

void* FakeMap::value_at(Words& words, unsigned cpu) const {
    return words.data() + (is_per_cpu() ? cpu * words_for(declared_.value_size) : 0);
}

void* FakeMap::find(const void* key, unsigned cpu) {
    if (is_array()) {
        std::uint32_t index = 0;
        std::memcpy(&index, key, sizeof index);
        if (index >= declared_.max_entries) return nullptr;
        const std::size_t at = is_per_cpu() ? std::size_t{index} * FakeKernel::cpus + cpu : index;
        return array_.data() + at * words_for(declared_.value_size);
    }
    const std::string bytes(static_cast<const char*>(key), declared_.key_size);
    const auto found = entries_.find(bytes);
    if (found == entries_.end()) return nullptr;
    if (declared_.type == BPF_MAP_TYPE_LRU_HASH) {
        order_.remove(bytes);
        order_.push_back(bytes);
    }
    return value_at(*found->second, cpu);
}

long FakeMap::update(const void* key, const void* value, std::uint64_t flags, unsigned cpu) {
    if (void* found = find(key, cpu); found != nullptr) {
        if (flags == BPF_NOEXIST) return -EEXIST;
        std::memcpy(found, value, declared_.value_size);
        return 0;
    }
    if (is_array()) return -E2BIG;
    if (flags == BPF_EXIST) return -ENOENT;
    if (entries_.size() >= declared_.max_entries) {
        if (declared_.type != BPF_MAP_TYPE_LRU_HASH || order_.empty()) return -E2BIG;
        const std::string oldest = order_.front();
        erase(oldest.data());
    }
    const std::size_t words = words_for(declared_.value_size) * (is_per_cpu() ? FakeKernel::cpus : 1);
    std::unique_ptr<Words> entry;
    if (free_.empty()) {
        entry = std::make_unique<Words>(words);
    } else {
        entry = std::move(free_.back());
        free_.pop_back();
        std::fill(entry->begin(), entry->end(), 0);
    }
    std::memcpy(value_at(*entry, cpu), value, declared_.value_size);
    const std::string bytes(static_cast<const char*>(key), declared_.key_size);
    entries_.emplace(bytes, std::move(entry));
    order_.push_back(bytes);
    return 0;
}

long FakeMap::erase(const void* key) {
    const std::string bytes(static_cast<const char*>(key), declared_.key_size);
    const auto found = entries_.find(bytes);
    if (found == entries_.end()) return -ENOENT;
    free_.push_back(std::move(found->second));
    entries_.erase(found);
    order_.remove(bytes);
    return 0;
}

void* FakeRing::reserve(std::uint64_t size) {
    if (refuses || used_ + in_ring(size) > bytes_) return nullptr;
    used_ += in_ring(size);
    Record record{std::make_unique<std::uint64_t[]>(words_for(size)), size};
    void* data = record.first.get();
    std::memset(data, 0xa5, words_for(size) * 8);
    open_.emplace(data, std::move(record));
    return data;
}

bool FakeRing::submit(void* data, bool keep) {
    const auto found = open_.find(data);
    if (found == open_.end()) return false;
    if (keep)
        submitted_.push_back(std::move(found->second));
    else
        used_ -= in_ring(found->second.second);
    open_.erase(found);
    return true;
}

std::vector<std::vector<std::byte>> FakeRing::drain() {
    std::vector<std::vector<std::byte>> all;
    for (const Record& record : submitted_) {
        const auto* bytes = reinterpret_cast<const std::byte*>(record.first.get());
        all.emplace_back(bytes, bytes + record.second);
        used_ -= in_ring(record.second);
    }
    submitted_.clear();
    return all;
}

FakeKernel::FakeKernel(const stub_map* maps) {
    for (; maps->address != nullptr; ++maps) {
        names_[maps->name] = maps->address;
        if (maps->type == BPF_MAP_TYPE_RINGBUF)
            rings_[maps->address] = std::make_unique<FakeRing>(maps->max_entries);
        else if (maps->type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
            inner_[maps->address] = maps->inner;
        else
            maps_[maps->address] = std::make_unique<FakeMap>(*maps);
    }
    the_kernel = this;
}

FakeKernel::~FakeKernel() { the_kernel = nullptr; }

FakeKernel& FakeKernel::current() {
    if (the_kernel == nullptr) throw std::logic_error("a program runs, and there is no kernel");
    return *the_kernel;
}

FakeMap& FakeKernel::map(const std::string& name) { return *maps_.at(names_.at(name)); }
FakeRing& FakeKernel::ring(const std::string& name) { return *rings_.at(names_.at(name)); }

void FakeKernel::hide(const void* from, std::size_t bytes) {
    const auto start = reinterpret_cast<std::uintptr_t>(from);
    hidden_.emplace_back(start, start + bytes);
}

bool FakeKernel::is_readable(const void* from, std::size_t bytes) const {
    const auto start = reinterpret_cast<std::uintptr_t>(from);
    if (start < 4096 || start + bytes < start) return false;
    return std::ranges::none_of(hidden_,
                                [&](const auto& range) { return start < range.second && range.first < start + bytes; });
}

bool FakeKernel::reserves_balance() const {
    return std::ranges::none_of(rings_, [](const auto& named) { return named.second->has_open(); });
}

void* FakeKernel::map_address(const void* address, std::uint32_t index) {
    const auto found = inner_.find(address);
    return found == inner_.end() || index > 1 ? nullptr : found->second[index];
}

FakeMap* FakeKernel::map_at(const void* address) {
    const auto found = maps_.find(address);
    return found == maps_.end() ? nullptr : found->second.get();
}

FakeRing* FakeKernel::ring_at(const void* address) { return rings_.at(address).get(); }

void FakeKernel::end_reservation(void* data, bool keep) {
    for (auto& [address, ring] : rings_)
        if (ring->submit(data, keep)) return;
    throw std::logic_error("submitted or discarded, and never reserved");
}

}  // namespace mapaudit::test

// ---- the helpers ----

using mapaudit::test::FakeKernel;
using mapaudit::test::FakeMap;

void* bpf_map_lookup_elem(void* map, const void* key) {
    FakeKernel& kernel = FakeKernel::current();
    if (FakeMap* found = kernel.map_at(map); found != nullptr) return found->find(key, kernel.cpu);
    std::uint32_t index = 0;
    std::memcpy(&index, key, sizeof index);
    return kernel.map_address(map, index);
}

long bpf_map_update_elem(void* map, const void* key, const void* value, __u64 flags) {
    FakeKernel& kernel = FakeKernel::current();
    return kernel.map_at(map)->update(key, value, flags, kernel.cpu);
}

long bpf_map_delete_elem(void* map, const void* key) { return FakeKernel::current().map_at(map)->erase(key); }

void* bpf_ringbuf_reserve(void* ring, __u64 size, __u64) { return FakeKernel::current().ring_at(ring)->reserve(size); }

void bpf_ringbuf_submit(void* data, __u64) { FakeKernel::current().end_reservation(data, true); }

void bpf_ringbuf_discard(void* data, __u64) { FakeKernel::current().end_reservation(data, false); }

__u64 bpf_ringbuf_query(void* ring, __u64) { return FakeKernel::current().ring_at(ring)->used(); }

// Where the kernel cannot read all, the whole destination is zeroed.
long bpf_probe_read_user(void* to, __u32 size, const void* from) {
    if (!FakeKernel::current().is_readable(from, size)) {
        std::memset(to, 0, size);
        return -EFAULT;
    }
    std::memcpy(to, from, size);
    return 0;
}

long bpf_get_stack(void*, void* frames, __u32 size, __u64 flags) {
    const FakeKernel& kernel = FakeKernel::current();
    const std::size_t skipped = std::min<std::size_t>(flags & BPF_F_SKIP_FIELD_MASK, kernel.frames.size());
    const std::size_t bytes = std::min<std::size_t>(size, (kernel.frames.size() - skipped) * sizeof(__u64));
    if (bytes != 0) std::memcpy(frames, kernel.frames.data() + skipped, bytes);
    return static_cast<long>(bytes);
}

__u64 bpf_ktime_get_ns() { return ++FakeKernel::current().time_ns; }

__u32 bpf_get_smp_processor_id() { return FakeKernel::current().cpu; }

__u64 bpf_get_current_pid_tgid() {
    const FakeKernel& kernel = FakeKernel::current();
    return __u64{kernel.pid} << 32 | kernel.tid;
}

long bpf_get_ns_current_pid_tgid(__u64 device, __u64 inode, bpf_pidns_info* ids, __u32) {
    const FakeKernel& kernel = FakeKernel::current();
    if (kernel.namespace_inode == 0 || device != kernel.namespace_device || inode != kernel.namespace_inode)
        return -EINVAL;
    ids->pid = kernel.namespace_tid;
    ids->tgid = kernel.namespace_pid;
    return 0;
}

__u64 bpf_get_attach_cookie(void*) { return FakeKernel::current().cookie; }

void stub_before_atomic(const volatile void* at) {
    const auto hook = FakeKernel::current().before_atomic;  // a copy: it may take itself out
    if (hook) hook(at);
}
