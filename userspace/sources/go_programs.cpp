// SPDX-License-Identifier: Apache-2.0
#include "sources/go_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>

#include "go.skel.h"

namespace mapaudit::sources {
namespace {

constexpr const char* privilege_remedy = "run as root, or with CAP_BPF and CAP_PERFMON";
constexpr std::size_t hash_overhead = 64;  // of an entry, about: its node, and its share of the buckets

static_assert(sizeof(wire_go_hmap) == 16 && sizeof(wire_go_growth_key) == 24 && sizeof(wire_go_growth) == 64);
static_assert(offsetof(wire_go_growth, first_log2) == 56 && sizeof(wire_go_site_key) == 16);
static_assert(sizeof(wire_go_site) == 256 && sizeof(wire_go_spill) == 48);
static_assert(offsetof(wire_go_fatal, head) == 48 && offsetof(wire_go_fatal, frames) == 64);
static_assert(sizeof(wire_go_fatal) == 384 && sizeof(wire_go_ledger) == 64);

std::size_t cpus() { return static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)); }

Error load_error(int err) {
    const std::string what = "cannot load the eBPF program for Go";
    if (err == EPERM || err == EACCES) return Error::from_errno(Failure::not_permitted, what, err, privilege_remedy);
    if (err == ENOMEM || err == E2BIG) return Error::from_errno(Failure::failed, what, err, "raise the memory limit");
    return Error::from_errno(Failure::not_permitted, what, err,
                             "Linux 5.15 or later is needed; -v shows the kernel's reason");
}

}  // namespace

Result<std::unique_ptr<GoPrograms>> GoPrograms::load(const GoSizes& sizes, UprobeMechanism mechanism) {
    std::unique_ptr<GoPrograms> programs(new GoPrograms(sizes));
    errno = 0;
    go_bpf* skeleton = programs->skeleton_ = go_bpf__open();
    if (skeleton == nullptr) return load_error(errno);
    bpf_map__set_max_entries(skeleton->maps.growths_even, sizes.growths);
    bpf_map__set_max_entries(skeleton->maps.growths_odd, sizes.growths);
    bpf_map__set_max_entries(skeleton->maps.sites, sizes.sites);
    bpf_map__set_max_entries(skeleton->maps.spills, sizes.sites);
    if (mechanism == UprobeMechanism::multi)
        bpf_program__set_expected_attach_type(skeleton->progs.mapaudit_go_hit,
                                              static_cast<bpf_attach_type>(attach_type_uprobe_multi));
    if (const int failed = go_bpf__load(skeleton); failed != 0) return load_error(-failed);
    programs->ring_ = ring_buffer__new(bpf_map__fd(skeleton->maps.fatals), on_event, programs.get(), nullptr);
    if (programs->ring_ == nullptr) return Error::from_errno(Failure::failed, "cannot open the event ring", errno);
    return programs;
}

GoPrograms::~GoPrograms() {
    ring_buffer__free(ring_);
    go_bpf__destroy(skeleton_);
}

int GoPrograms::program_fd() const { return bpf_program__fd(skeleton_->progs.mapaudit_go_hit); }

// The update returns when every program that may have seen the old table has ended: the kernel waits for that where an
// entry of a map of maps is replaced (maybe_wait_bpf_programs in kernel/bpf/syscall.c).
std::vector<GoGrowth> GoPrograms::take_growths() {
    const std::uint64_t fired = ledger().fired;
    if (fired == fired_taken_) return {};
    const auto& maps = skeleton_->maps;
    const bpf_map *full = odd_ ? maps.growths_odd : maps.growths_even,
                  *empty = odd_ ? maps.growths_even : maps.growths_odd;
    const std::uint32_t zero = 0;
    const int next = bpf_map__fd(empty);
    if (bpf_map_update_elem(bpf_map__fd(maps.growths), &zero, &next, BPF_ANY) != 0) return {};
    __atomic_store_n(&skeleton_->bss->table_full, 0, __ATOMIC_RELEASE);
    odd_ = !odd_;
    fired_taken_ = fired;
    std::uint32_t cursor = 0, count = sizes_.growths;
    std::vector<wire_go_growth_key> keys(count);
    std::vector<wire_go_growth> values(count);
    if (bpf_map_lookup_and_delete_batch(bpf_map__fd(full), nullptr, &cursor, keys.data(), values.data(), &count,
                                        nullptr) != 0 &&
        errno != ENOENT)  // the end is ENOENT, with a valid count
        return {};
    std::vector<GoGrowth> rows;
    rows.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) rows.push_back({keys[i], values[i]});
    std::sort(rows.begin(), rows.end(),
              [](const GoGrowth& a, const GoGrowth& b) { return a.value.first_ns < b.value.first_ns; });
    return rows;
}

std::optional<wire_go_site> GoPrograms::site(const wire_go_site_key& key) const {
    wire_go_site site{};
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.sites), &key, &site) != 0) return {};
    return site;
}

void GoPrograms::read_spills(const std::function<void(const wire_go_site_key&, const wire_go_spill&)>& row) const {
    const int fd = bpf_map__fd(skeleton_->maps.spills);
    std::vector<wire_go_spill> all(cpus());
    wire_go_site_key key{}, previous{};
    for (const wire_go_site_key* from = nullptr; bpf_map_get_next_key(fd, from, &key) == 0; from = &previous) {
        previous = key;
        if (bpf_map_lookup_elem(fd, &key, all.data()) != 0) continue;
        wire_go_spill sum{};
        for (const wire_go_spill& one : all) {
            if (one.first_ns == 0) continue;
            if (one.last_ns > sum.last_ns) sum.type = one.type;
            sum.doublings += one.doublings;
            sum.same_size += one.same_size;
            sum.buckets_added += one.buckets_added;
            sum.first_ns = sum.first_ns == 0 ? one.first_ns : std::min(sum.first_ns, one.first_ns);
            sum.last_ns = std::max(sum.last_ns, one.last_ns);
        }
        row(key, sum);
    }
}

int GoPrograms::on_event(void* self, void* data, std::size_t bytes) {
    if (bytes >= sizeof(wire_go_fatal))
        (*static_cast<GoPrograms*>(self)->handle_)(*static_cast<const wire_go_fatal*>(data));
    return 0;
}

void GoPrograms::drain(const std::function<void(const wire_go_fatal&)>& handle) {
    handle_ = &handle;
    ring_buffer__consume(ring_);
    handle_ = nullptr;
}

int GoPrograms::ring_fd() const { return ring_buffer__epoll_fd(ring_); }

wire_go_ledger GoPrograms::ledger() const {
    const std::uint32_t zero = 0;
    std::vector<wire_go_ledger> all(cpus());
    wire_go_ledger sum{};
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.ledgers), &zero, all.data()) != 0) return sum;
    for (const wire_go_ledger& one : all) {
        sum.fired += one.fired;
        sum.handled += one.handled;
        sum.hits += one.hits;
        sum.timed_hits += one.timed_hits;
        sum.timed_ns += one.timed_ns;
        for (int cause = 0; cause < WIRE_GO_LOSSES; ++cause) sum.lost[cause] += one.lost[cause];
    }
    return sum;
}

std::uint64_t GoPrograms::kernel_bytes() const {
    return 2ull * sizes_.growths * (sizeof(wire_go_growth_key) + sizeof(wire_go_growth) + hash_overhead) +
           std::uint64_t{sizes_.sites} * (sizeof(wire_go_site_key) + sizeof(wire_go_site) + hash_overhead) +
           std::uint64_t{sizes_.sites} * (sizeof(wire_go_site_key) + cpus() * sizeof(wire_go_spill) + hash_overhead) +
           bpf_map__max_entries(skeleton_->maps.fatals) + cpus() * sizeof(wire_go_ledger);
}

}  // namespace mapaudit::sources
