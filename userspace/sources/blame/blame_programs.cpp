// SPDX-License-Identifier: Apache-2.0
#include "sources/blame/blame_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include "blame_cpu.skel.h"
#include "blame_sched.skel.h"

namespace mapaudit::sources {
namespace {

constexpr const char* privilege_remedy = "run as root, or with CAP_BPF and CAP_PERFMON";
constexpr ino_t initial_pidns = 0xEFFFFFFC;  // PROC_PID_INIT_INO: fixed, so that namespaces can be told apart
constexpr std::size_t hash_overhead = 64;    // of an entry, about: its node, and its share of the buckets

static_assert(sizeof(wire_blame) == 144 && sizeof(wire_blame_rest) == 80 && sizeof(wire_blame_process) == 32);
static_assert(offsetof(wire_blame, events) == 32 && offsetof(wire_blame, sleeps) == 64);
static_assert(offsetof(wire_blame_rest, events) == 32 && offsetof(wire_blame_process, pidns_device) == 16);
static_assert(sizeof(wire_off_cpu) == 32);

Error load_error(const char* what, int err) {
    if (err == EPERM || err == EACCES) return Error::from_errno(Failure::not_permitted, what, err, privilege_remedy);
    return Error::from_errno(Failure::not_permitted, what, err, "-v shows the kernel's reason");
}

template <class Skeleton>
void introduce_auditor(Skeleton& skeleton) {
    struct stat own;
    if (::stat("/proc/self/ns/pid", &own) != 0 || own.st_ino == initial_pidns) return;
    skeleton.rodata->auditor_pidns_device = own.st_dev;
    skeleton.rodata->auditor_pidns_inode = own.st_ino;
}

// All of a hash table in one call: it has no more entries than that. The end is ENOENT, with a valid count.
template <class Key, class Value>
std::vector<std::pair<Key, Value>> all_of(const bpf_map* map) {
    std::uint32_t cursor = 0, count = bpf_map__max_entries(map);
    std::vector<Key> keys(count);
    std::vector<Value> values(count);
    if (bpf_map_lookup_batch(bpf_map__fd(map), nullptr, &cursor, keys.data(), values.data(), &count, nullptr) != 0 &&
        errno != ENOENT)
        return {};
    std::vector<std::pair<Key, Value>> found;
    found.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) found.emplace_back(keys[i], values[i]);
    return found;
}

}  // namespace

Result<std::unique_ptr<BlamePrograms>> BlamePrograms::load(const BlameSizes& sizes) {
    std::unique_ptr<BlamePrograms> programs(new BlamePrograms);
    programs->sizes_ = sizes;
    errno = 0;
    blame_cpu_bpf* skeleton = programs->cpu_ = blame_cpu_bpf__open();
    if (skeleton == nullptr) return load_error("cannot open the sampling program", errno);
    introduce_auditor(*skeleton);
    bpf_map__set_max_entries(skeleton->maps.blocks, sizes.threads);
    bpf_map__set_max_entries(skeleton->maps.blames, sizes.blames);
    if (const int failed = blame_cpu_bpf__load(skeleton); failed != 0)
        return load_error("cannot load the sampling program", -failed);
    return programs;
}

BlamePrograms::~BlamePrograms() {
    stop();
    blame_sched_bpf__destroy(sched_);
    blame_cpu_bpf__destroy(cpu_);
}

Result<void> BlamePrograms::sample(std::vector<UniqueFd> events, std::uint64_t cookie) {
    for (UniqueFd& event : events) {
        bpf_perf_event_opts options{};
        options.sz = sizeof options;
        options.bpf_cookie = cookie;
        bpf_link* link = bpf_program__attach_perf_event_opts(cpu_->progs.mapaudit_sample, event.get(), &options);
        if (link == nullptr) return load_error("cannot attach the sampling program", errno);
        event.release();  // the link's now
        links_.push_back(link);
    }
    return {};
}

Result<void> BlamePrograms::load_scheduler() {
    errno = 0;
    sched_ = blame_sched_bpf__open();
    if (sched_ == nullptr) return load_error("cannot open the scheduler program", errno);
    introduce_auditor(*sched_);
    bpf_map__set_max_entries(sched_->maps.off_cpus, sizes_.threads);
    const auto share = [](bpf_map* mine, const bpf_map* existing) {
        return bpf_map__reuse_fd(mine, bpf_map__fd(existing)) == 0;
    };
    if (!share(sched_->maps.processes, cpu_->maps.processes) ||
        !share(sched_->maps.registries, cpu_->maps.registries) || !share(sched_->maps.blocks, cpu_->maps.blocks) ||
        !share(sched_->maps.blames, cpu_->maps.blames) || !share(sched_->maps.rests, cpu_->maps.rests))
        return load_error("cannot share the sampling program's tables with the scheduler's", errno);
    if (const int failed = blame_sched_bpf__load(sched_); failed != 0) {
        if (failed == -ESRCH || failed == -ENOENT || failed == -EINVAL)
            return Error::from_errno(Failure::not_permitted, "cannot load the scheduler program", -failed,
                                     "a kernel with BTF is needed (CONFIG_DEBUG_INFO_BTF); -v shows its reason");
        return load_error("cannot load the scheduler program", -failed);
    }
    return {};
}

Result<void> BlamePrograms::watch_scheduler() {
    auto loaded = load_scheduler();
    if (loaded) {
        bpf_link* link = bpf_program__attach(sched_->progs.mapaudit_switch);
        if (link != nullptr) {
            links_.push_back(link);
            return {};
        }
        loaded = load_error("cannot attach to the scheduler's tracepoint", errno);
    }
    blame_sched_bpf__destroy(sched_);
    sched_ = nullptr;
    return loaded;
}

void BlamePrograms::stop() {
    for (bpf_link* link : links_) bpf_link__destroy(link);
    links_.clear();
}

Result<void> BlamePrograms::set_process(std::uint32_t pid, const wire_blame_process& process) {
    if (bpf_map_update_elem(bpf_map__fd(cpu_->maps.processes), &pid, &process, BPF_ANY) != 0)
        return Error::from_errno(Failure::failed, "cannot describe a process to the sampling program", errno);
    return {};
}

void BlamePrograms::forget_process(std::uint32_t pid) {
    (void)bpf_map_delete_elem(bpf_map__fd(cpu_->maps.processes), &pid);
}

void BlamePrograms::set_registry(std::uint32_t domain, std::uint64_t address) {
    (void)bpf_map_update_elem(bpf_map__fd(cpu_->maps.registries), &domain, &address, BPF_ANY);
}

bool BlamePrograms::set_block(std::uint32_t domain, std::uint32_t tid, std::uint64_t address) {
    const std::uint64_t key = wire_thread_key(domain, tid);
    return bpf_map_update_elem(bpf_map__fd(cpu_->maps.blocks), &key, &address, BPF_ANY) == 0;
}

void BlamePrograms::forget_block(std::uint32_t domain, std::uint32_t tid) {
    const std::uint64_t key = wire_thread_key(domain, tid);
    (void)bpf_map_delete_elem(bpf_map__fd(cpu_->maps.blocks), &key);
}

std::vector<std::pair<std::uint64_t, wire_blame>> BlamePrograms::blames() const {
    return all_of<std::uint64_t, wire_blame>(cpu_->maps.blames);
}

std::vector<std::pair<std::uint32_t, wire_off_cpu>> BlamePrograms::off_cpus() const {
    if (sched_ == nullptr) return {};
    return all_of<std::uint32_t, wire_off_cpu>(sched_->maps.off_cpus);
}

wire_blame_rest BlamePrograms::rest(std::uint32_t index) const {
    wire_blame_rest rest{};
    (void)bpf_map_lookup_elem(bpf_map__fd(cpu_->maps.rests), &index, &rest);
    return rest;
}

std::uint64_t BlamePrograms::kernel_bytes() const {
    std::uint64_t bytes = sizes_.blames * (sizeof(std::uint64_t) + sizeof(wire_blame) + hash_overhead) +
                          sizes_.threads * (2 * sizeof(std::uint64_t) + hash_overhead) +
                          WIRE_MAX_DOMAINS * (sizeof(wire_blame_rest) + sizeof(wire_blame_process) + hash_overhead);
    if (sched_ != nullptr) bytes += sizes_.threads * (bpf_map__value_size(sched_->maps.off_cpus) + 8 + hash_overhead);
    return bytes;
}

}  // namespace mapaudit::sources
