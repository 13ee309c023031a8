// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <utility>

#include "sources/usdt/usdt_ledger.hpp"
#include "usdt.skel.h"

namespace mapaudit::sources {
namespace {

constexpr const char* privilege_remedy = "run as root, or with CAP_BPF and CAP_PERFMON";

static_assert(sizeof(wire_slot) == 16 && sizeof(wire_page) == 128 && sizeof(mapaudit_record) == 16);
static_assert(sizeof(wire_cell_op) == 240 && sizeof(wire_extra) == 296 &&
              sizeof(wire_cell) == 4 * sizeof(wire_cell_op));
static_assert(sizeof(wire_event) == 32 && offsetof(wire_spill, records) == 40 && sizeof(wire_grow) == 72);
static_assert(sizeof(wire_evidence_key) == 40 && sizeof(wire_evidence) == 40);
static_assert(offsetof(wire_stack, frames) == 152 && offsetof(wire_stack, memory) == 416);
static_assert(sizeof(wire_ledger) == 136 && sizeof(wire_domain) == 160 && sizeof(mapaudit_map_desc) == 192);

// Twice as many slots as cells keeps probe sequences short.
std::uint32_t slot_count(const ProgramSizes& sizes) { return std::bit_ceil(2 * sizes.cells); }

// A stack takes part in a few rows: with several owners, on several maps.
std::uint32_t evidence_count(const ProgramSizes& sizes) { return 2 * sizes.stacks; }

std::size_t mapped_bytes(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

Error load_error(int err) {
    const std::string what = "cannot load the eBPF program";
    if (err == EPERM || err == EACCES) return Error::from_errno(Failure::not_permitted, what, err, privilege_remedy);
    if (err == ENOSYS) return Error::from_errno(Failure::not_permitted, what, err, "a kernel with bpf(2) is needed");
    if (err == ENOMEM || err == E2BIG) return Error::from_errno(Failure::failed, what, err, "raise the memory limit");
    return Error::from_errno(Failure::not_permitted, what, err,
                             "Linux 5.15 or later is needed; -v shows the kernel's reason");
}

}  // namespace

template <class Entry>
Result<MappedArray<Entry>> MappedArray<Entry>::map(int fd, std::uint32_t entries, bool writable) {
    void* memory = ::mmap(nullptr, mapped_bytes(entries * sizeof(Entry)), writable ? PROT_READ | PROT_WRITE : PROT_READ,
                          MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return Error::from_errno(Failure::failed, "cannot map an eBPF array", errno);
    MappedArray array;
    array.data_ = static_cast<Entry*>(memory);
    array.entries_ = entries;
    return array;
}

template <class Entry>
MappedArray<Entry>::MappedArray(MappedArray&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), entries_(std::exchange(other.entries_, 0)) {}

template <class Entry>
MappedArray<Entry>& MappedArray<Entry>::operator=(MappedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(entries_, other.entries_);
    return *this;
}

template <class Entry>
MappedArray<Entry>::~MappedArray() {
    if (data_ != nullptr)
        ::munmap(const_cast<std::remove_const_t<Entry>*>(data_), mapped_bytes(entries_ * sizeof(Entry)));
}

template class MappedArray<const wire_slot>;
template class MappedArray<const wire_cell>;
template class MappedArray<const wire_page>;
template class MappedArray<const wire_extra>;
template class MappedArray<const wire_ledger>;
template class MappedArray<std::uint64_t>;

Result<std::unique_ptr<UsdtPrograms>> UsdtPrograms::load(const ProgramSizes& sizes, UprobeMechanism mechanism) {
    std::unique_ptr<UsdtPrograms> programs(new UsdtPrograms);
    programs->sizes_ = sizes;
    errno = 0;
    usdt_bpf* skeleton = programs->skeleton_ = usdt_bpf__open();
    if (skeleton == nullptr) return load_error(errno);
    skeleton->rodata->cells_per_lane = sizes.cells;
    skeleton->rodata->slot_mask = slot_count(sizes) - 1;
    skeleton->rodata->other_cells = sizes.others;
    skeleton->rodata->page_count = sizes.pages;
    skeleton->rodata->pages_for_others = sizes.pages_for_others();
    skeleton->rodata->extra_count = sizes.extras;
    skeleton->rodata->per_thread = sizes.per_thread ? 1 : 0;
    if (struct stat pidns; ::stat("/proc/self/ns/pid", &pidns) == 0) {
        skeleton->rodata->pidns_device = pidns.st_dev;
        skeleton->rodata->pidns_inode = pidns.st_ino;
    }
    skeleton->data->next_cell = sizes.others;
    skeleton->data->next_page = sizes.pages_for_others() + 1;
    bpf_map__set_max_entries(skeleton->maps.slots, slot_count(sizes));
    bpf_map__set_max_entries(skeleton->maps.cells, sizes.lanes * sizes.cells);
    bpf_map__set_max_entries(skeleton->maps.pages, sizes.pages);
    bpf_map__set_max_entries(skeleton->maps.extras, sizes.extras);
    bpf_map__set_max_entries(skeleton->maps.lanes, sizes.lanes);
    bpf_map__set_max_entries(skeleton->maps.ledgers, sizes.lanes);
    bpf_map__set_max_entries(skeleton->maps.threads, sizes.threads);
    bpf_map__set_max_entries(skeleton->maps.stacks_seen, sizes.stacks);
    bpf_map__set_max_entries(skeleton->maps.evidence, evidence_count(sizes));
    if (mechanism == UprobeMechanism::multi)
        bpf_program__set_expected_attach_type(skeleton->progs.mapaudit_hit,
                                              static_cast<bpf_attach_type>(attach_type_uprobe_multi));
    if (const int failed = usdt_bpf__load(skeleton); failed != 0) return load_error(-failed);
    if (auto mapped = programs->map_all(); !mapped) return mapped.error();
    programs->ring_ = ring_buffer__new(bpf_map__fd(skeleton->maps.events), on_event, programs.get(), nullptr);
    if (programs->ring_ == nullptr) return Error::from_errno(Failure::failed, "cannot open the event ring", errno);
    if (const int failed =
            ring_buffer__add(programs->ring_, bpf_map__fd(skeleton->maps.stacks), on_event, programs.get());
        failed != 0)
        return Error::from_errno(Failure::failed, "cannot open the ring of stacks", -failed);
    return programs;
}

Result<void> UsdtPrograms::map_all() {
    const auto take = [](auto& into, bpf_map* map, std::uint32_t entries, bool writable) -> Result<void> {
        auto mapped = std::remove_reference_t<decltype(into)>::map(bpf_map__fd(map), entries, writable);
        if (!mapped) return mapped.error();
        into = std::move(*mapped);
        return {};
    };
    const auto& maps = skeleton_->maps;
    if (auto r = take(slots, maps.slots, slot_count(sizes_), false); !r) return r;
    if (auto r = take(cells, maps.cells, sizes_.lanes * sizes_.cells, false); !r) return r;
    if (auto r = take(pages, maps.pages, sizes_.pages, false); !r) return r;
    if (auto r = take(extras, maps.extras, sizes_.extras, false); !r) return r;
    if (auto r = take(ledgers_, maps.ledgers, sizes_.lanes, false); !r) return r;
    return take(threads, maps.threads, sizes_.threads, true);
}

UsdtPrograms::~UsdtPrograms() {
    ring_buffer__free(ring_);
    usdt_bpf__destroy(skeleton_);
}

int UsdtPrograms::program_fd() const { return bpf_program__fd(skeleton_->progs.mapaudit_hit); }

Result<void> UsdtPrograms::set_domain(std::uint32_t index, const wire_domain& domain) {
    if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.domains), &index, &domain, BPF_ANY) != 0)
        return Error::from_errno(Failure::failed, "cannot describe a process to the eBPF program", errno);
    return {};
}

int UsdtPrograms::on_event(void* self, void* data, std::size_t bytes) {
    if (bytes >= sizeof(wire_event))
        (*static_cast<UsdtPrograms*>(self)->handle_)(*static_cast<const wire_event*>(data), bytes);
    return 0;
}

void UsdtPrograms::drain(const std::function<void(const wire_event&, std::size_t)>& handle) {
    handle_ = &handle;
    ring_buffer__consume(ring_);
    handle_ = nullptr;
}

int UsdtPrograms::ring_fd() const { return ring_buffer__epoll_fd(ring_); }

wire_ledger UsdtPrograms::ledger() const {
    wire_ledger sum{};
    for (std::uint32_t cpu = 0; cpu < ledgers_.size(); ++cpu) {
        const wire_ledger one = ledgers_[cpu];
        add_ledger(sum, one);
    }
    return sum;
}

void UsdtPrograms::read_evidence(const std::function<void(const wire_evidence_key&, const wire_evidence&)>& row) const {
    const int fd = bpf_map__fd(skeleton_->maps.evidence);
    wire_evidence_key key{}, previous{};
    const wire_evidence_key* from = nullptr;
    while (bpf_map_get_next_key(fd, from, &key) == 0) {
        wire_evidence value{};
        if (bpf_map_lookup_elem(fd, &key, &value) == 0) row(key, value);
        previous = key;
        from = &previous;
    }
}

std::uint64_t UsdtPrograms::kernel_bytes() const {
    return slot_count(sizes_) * sizeof(wire_slot) + std::uint64_t{sizes_.lanes} * sizes_.cells * sizeof(wire_cell) +
           sizes_.pages * sizeof(wire_page) + sizes_.extras * sizeof(wire_extra) +
           sizes_.lanes * (sizeof(wire_lane) + sizeof(wire_ledger)) + sizes_.threads * sizeof(std::uint64_t) +
           sizes_.stacks * std::uint64_t{64} +
           evidence_count(sizes_) * (sizeof(wire_evidence_key) + sizeof(wire_evidence) + 48) +
           bpf_map__max_entries(skeleton_->maps.events) + bpf_map__max_entries(skeleton_->maps.stacks);
}

}  // namespace mapaudit::sources
