// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <utility>

#include "go.skel.h"

namespace mapaudit::sources {
namespace {

constexpr const char* privilege_remedy = "run as root, or with CAP_BPF and CAP_PERFMON";
constexpr std::size_t hash_overhead = 64;  // of an entry, about: its node, and its share of the buckets

static_assert(sizeof(wire_go_hmap) == 16 && sizeof(wire_go_growth_key) == 24 && sizeof(wire_go_growth) == 64);
static_assert(offsetof(wire_go_growth, first_log2) == 56 && sizeof(wire_go_site_key) == 16);
static_assert(sizeof(wire_go_site) == 256 && sizeof(wire_go_spill) == 48);
static_assert(offsetof(wire_go_fatal, head) == 48 && offsetof(wire_go_fatal, frames) == 64);
static_assert(offsetof(wire_go_fatal, other_goid) == 384 && sizeof(wire_go_fatal) == 648);
static_assert(sizeof(wire_go_calls_key) == 24 && sizeof(wire_go_calls) == 64 && offsetof(wire_go_calls, log2) == 56);
static_assert(sizeof(wire_go_conflict) == 576 && offsetof(wire_go_conflict, frames) == 64);
static_assert(sizeof(wire_go_ledger) == 96);

std::size_t cpus() { return static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)); }

Error load_error(int err) {
    const std::string what = "cannot load the eBPF program for Go";
    if (err == EPERM || err == EACCES) return Error::from_errno(Failure::not_permitted, what, err, privilege_remedy);
    if (err == ENOMEM || err == E2BIG) return Error::from_errno(Failure::failed, what, err, "raise the memory limit");
    return Error::from_errno(Failure::not_permitted, what, err,
                             "Linux 5.15 or later is needed; -v shows the kernel's reason");
}

}  // namespace

model::Activity activity_of(const wire_go_ledger& ledger) {
    model::Activity activity;
    activity.breakpoints = ledger.hits - ledger.stepped;
    activity.steps = ledger.stepped;
    if (ledger.timed_hits != 0)
        activity.program_ns = static_cast<double>(ledger.timed_ns) *
                              std::max(1.0, static_cast<double>(ledger.hits) / static_cast<double>(ledger.timed_hits));
    return activity;
}

Result<std::unique_ptr<GoPrograms>> GoPrograms::load(const GoSizes& sizes, UprobeMechanism mechanism) {
    std::unique_ptr<GoPrograms> programs(new GoPrograms(sizes));
    errno = 0;
    go_bpf* skeleton = programs->skeleton_ = go_bpf__open();
    if (skeleton == nullptr) return load_error(errno);
    bpf_map__set_max_entries(skeleton->maps.growths_even, sizes.growths);
    bpf_map__set_max_entries(skeleton->maps.growths_odd, sizes.growths);
    bpf_map__set_max_entries(skeleton->maps.sites, sizes.sites);
    bpf_map__set_max_entries(skeleton->maps.spills, sizes.sites);
    bpf_map__set_max_entries(skeleton->maps.calls_even, std::max(sizes.calls, 1u));
    bpf_map__set_max_entries(skeleton->maps.calls_odd, std::max(sizes.calls, 1u));
    bpf_map__set_max_entries(skeleton->maps.call_spills, sizes.calls != 0 ? sizes.sites : 1u);
    bpf_map__set_max_entries(skeleton->maps.inside, std::max(sizes.inside, 1u));
    bpf_map__set_max_entries(skeleton->maps.used, std::max(sizes.inside, 1u));
    const auto& programs_of = skeleton->progs;
    for (bpf_program* program : {programs_of.mapaudit_go_hit, programs_of.mapaudit_go_operation,
                                 programs_of.mapaudit_go_begin, programs_of.mapaudit_go_end})
        if (mechanism == UprobeMechanism::multi)
            bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(attach_type_uprobe_multi));
    if (const int failed = go_bpf__load(skeleton); failed != 0) return load_error(-failed);
    programs->ring_ = ring_buffer__new(bpf_map__fd(skeleton->maps.fatals), on_fatal, programs.get(), nullptr);
    if (programs->ring_ == nullptr ||
        ring_buffer__add(programs->ring_, bpf_map__fd(skeleton->maps.conflicts), on_conflict, programs.get()) != 0)
        return Error::from_errno(Failure::failed, "cannot open the event ring", errno);
    return programs;
}

GoPrograms::~GoPrograms() {
    ring_buffer__free(ring_);
    go_bpf__destroy(skeleton_);
}

int GoPrograms::program_fd(GoProbes kind) const {
    const auto& programs = skeleton_->progs;
    if (kind == GoProbes::rare) return bpf_program__fd(programs.mapaudit_go_hit);
    if (kind == GoProbes::ends) return bpf_program__fd(programs.mapaudit_go_end);
    return bpf_program__fd(sizes_.inside != 0 ? programs.mapaudit_go_begin : programs.mapaudit_go_operation);
}

namespace {

// All that is in the table, which nobody writes to, and empties it.
template <class Row>
std::vector<Row> take_all(const bpf_map* table) {
    std::uint32_t cursor = 0, count = bpf_map__max_entries(table);
    std::vector<decltype(Row::key)> keys(count);
    std::vector<decltype(Row::value)> values(count);
    if (bpf_map_lookup_and_delete_batch(bpf_map__fd(table), nullptr, &cursor, keys.data(), values.data(), &count,
                                        nullptr) != 0 &&
        errno != ENOENT)  // the end is ENOENT, with a valid count
        return {};
    std::vector<Row> rows;
    rows.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) rows.push_back({keys[i], values[i]});
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.value.first_ns < b.value.first_ns; });
    return rows;
}

}  // namespace

// The update changes nothing, and returns when every program that may have seen the turn before has ended: the kernel
// waits for that where an entry of a map of maps is replaced (maybe_wait_bpf_programs in kernel/bpf/syscall.c).
GoTaken GoPrograms::take() {
    const std::uint64_t fired = ledger().fired;
    if (fired == fired_taken_) return {};
    const auto& maps = skeleton_->maps;
    const bool was_odd = skeleton_->bss->turn != 0;
    const std::uint32_t next = was_odd ? 0 : 1;
    const int next_fd = bpf_map__fd(was_odd ? maps.growths_even : maps.growths_odd);
    skeleton_->bss->table_full = skeleton_->bss->calls_full = 0;
    __atomic_store_n(&skeleton_->bss->turn, next, __ATOMIC_SEQ_CST);
    if (bpf_map_update_elem(bpf_map__fd(maps.growths), &next, &next_fd, BPF_ANY) != 0) return {};
    fired_taken_ = fired;
    GoTaken taken;
    taken.growths = take_all<GoGrowth>(was_odd ? maps.growths_odd : maps.growths_even);
    if (sizes_.calls != 0) taken.calls = take_all<GoCalls>(was_odd ? maps.calls_odd : maps.calls_even);
    return taken;
}

std::vector<GoCalls> GoPrograms::read_call_spills() const {
    std::vector<GoCalls> rows;
    if (sizes_.calls == 0) return rows;
    const int fd = bpf_map__fd(skeleton_->maps.call_spills);
    wire_go_calls_key key{}, previous{};
    for (const wire_go_calls_key* from = nullptr; bpf_map_get_next_key(fd, from, &key) == 0; from = &previous) {
        previous = key;
        wire_go_calls value{};
        if (bpf_map_lookup_elem(fd, &key, &value) == 0) rows.push_back({key, value});
    }
    return rows;
}

void GoPrograms::open_window(bool open) {
    __atomic_store_n(&skeleton_->bss->window_open, std::uint64_t{open}, __ATOMIC_SEQ_CST);
}

void GoPrograms::forget_inside() {
    if (sizes_.inside == 0) return;
    for (const bpf_map* map : {skeleton_->maps.inside, skeleton_->maps.used}) {
        std::uint64_t key[2];  // either's
        while (bpf_map_get_next_key(bpf_map__fd(map), nullptr, key) == 0)
            if (bpf_map_delete_elem(bpf_map__fd(map), key) != 0) break;
    }
}

void GoPrograms::set_span_overhead(double ns) {
    __atomic_store_n(&skeleton_->bss->span_overhead_ns, static_cast<std::uint64_t>(std::max(ns, 0.0)),
                     __ATOMIC_RELAXED);
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

int GoPrograms::on_fatal(void* self, void* data, std::size_t bytes) {
    if (bytes >= sizeof(wire_go_fatal))
        static_cast<GoPrograms*>(self)->events_.fatal.push_back(*static_cast<const wire_go_fatal*>(data));
    return 0;
}

int GoPrograms::on_conflict(void* self, void* data, std::size_t bytes) {
    if (bytes >= sizeof(wire_go_conflict))
        static_cast<GoPrograms*>(self)->events_.conflicts.push_back(*static_cast<const wire_go_conflict*>(data));
    return 0;
}

GoEvents GoPrograms::drain() {
    ring_buffer__consume(ring_);
    return std::exchange(events_, {});
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
        sum.stepped += one.stepped;
        sum.untimed += one.untimed;
        sum.untold += one.untold;
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
           (2ull * sizes_.calls + sizes_.sites) * (sizeof(wire_go_calls_key) + sizeof(wire_go_calls) + hash_overhead) +
           2ull * sizes_.inside * 2 * hash_overhead + bpf_map__max_entries(skeleton_->maps.fatals) +
           bpf_map__max_entries(skeleton_->maps.conflicts) + cpus() * sizeof(wire_go_ledger);
}

}  // namespace mapaudit::sources
