// SPDX-License-Identifier: Apache-2.0
#include "sources/attach/uprobe_link.hpp"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <optional>

namespace mapaudit::sources {
namespace {

constexpr const char* privilege_remedy = "run as root, or with CAP_BPF and CAP_PERFMON";
constexpr int first_ref_ctr_bit = 32;  // perf_event_attr.config: PERF_UPROBE_REF_CTR_OFFSET_SHIFT

// The multi link's part of bpf_attr, as of Linux 6.6; older headers lack it.
struct MultiLinkAttributes {
    std::uint32_t program_fd;
    std::uint32_t target_fd;
    std::uint32_t attach_type;
    std::uint32_t flags;
    std::uint64_t path;
    std::uint64_t offsets;
    std::uint64_t ref_ctr_offsets;
    std::uint64_t cookies;
    std::uint32_t count;
    std::uint32_t uprobe_flags;
    std::uint32_t pid;
    std::uint32_t path_fd;
};

struct PerfLinkAttributes {
    std::uint32_t program_fd;
    std::uint32_t target_fd;  // the perf event
    std::uint32_t attach_type;
    std::uint32_t flags;
    std::uint64_t cookie;
};

template <class Attributes>
int link_create(Attributes& attributes) {
    return static_cast<int>(::syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes));
}

template <class T>
std::uint64_t address(const T* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

Error attach_error(const std::string& path, int pid, int err) {
    const std::string what = "cannot attach to " + path + " in process " + std::to_string(pid);
    if (err == ESRCH) return Error::of(Failure::no_target, what + ": it has ended");
    if (err == EPERM || err == EACCES) return Error::from_errno(Failure::not_permitted, what, err, privilege_remedy);
    return Error::from_errno(Failure::failed, what, err);
}

Result<UniqueFd> attach_multi(int program_fd, const std::string& path, int pid, const std::vector<UprobeSite>& sites) {
    std::vector<std::uint64_t> offsets, semaphores, cookies;
    for (const UprobeSite& site : sites) {
        offsets.push_back(site.offset);
        semaphores.push_back(site.semaphore_offset);
        cookies.push_back(site.cookie);
    }
    MultiLinkAttributes attributes{};
    attributes.program_fd = static_cast<std::uint32_t>(program_fd);
    attributes.attach_type = attach_type_uprobe_multi;
    attributes.path = address(path.c_str());
    attributes.offsets = address(offsets.data());
    attributes.ref_ctr_offsets = address(semaphores.data());
    attributes.cookies = address(cookies.data());
    attributes.count = static_cast<std::uint32_t>(sites.size());
    attributes.pid = static_cast<std::uint32_t>(pid);
    UniqueFd fd(link_create(attributes));
    if (!fd) return attach_error(path, pid, errno);
    return fd;
}

std::optional<std::uint32_t> uprobe_pmu_type() {
    std::ifstream file("/sys/bus/event_source/devices/uprobe/type");
    std::uint32_t type = 0;
    if (file >> type) return type;
    return {};
}

Result<UniqueFd> open_uprobe_event(std::uint32_t pmu, const std::string& path, int pid, const UprobeSite& site) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = pmu;
    attributes.config = site.semaphore_offset << first_ref_ctr_bit;
    attributes.uprobe_path = address(path.c_str());
    attributes.probe_offset = site.offset;
    // The kernel installs the breakpoint in the whole address space of `pid`, and runs the program in all its threads.
    UniqueFd fd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
    if (!fd) return attach_error(path, pid, errno);
    return fd;
}

}  // namespace

UprobeMechanism probe_uprobe_mechanism() {
    // With no program, a kernel that knows the attach type says EBADF; one that does not, EINVAL.
    MultiLinkAttributes attributes{};
    attributes.program_fd = ~0u;
    attributes.attach_type = attach_type_uprobe_multi;
    errno = 0;
    const UniqueFd fd(link_create(attributes));
    return errno == EBADF || errno == EPERM ? UprobeMechanism::multi : UprobeMechanism::perf_events;
}

Result<UprobeLink> UprobeLink::attach(UprobeMechanism mechanism, int program_fd, const std::string& path, int pid,
                                      const std::vector<UprobeSite>& sites) {
    UprobeLink link;
    if (mechanism == UprobeMechanism::multi) {
        auto fd = attach_multi(program_fd, path, pid, sites);
        if (!fd) return fd.error();
        link.fds_.push_back(std::move(*fd));
        return link;
    }
    const auto pmu = uprobe_pmu_type();
    if (!pmu)
        return Error::of(Failure::not_permitted, "this kernel has no user probes (no uprobe event source)",
                         "a kernel built with CONFIG_UPROBE_EVENTS is needed");
    for (const UprobeSite& site : sites) {
        auto event = open_uprobe_event(*pmu, path, pid, site);
        if (!event) return event.error();
        PerfLinkAttributes attributes{};
        attributes.program_fd = static_cast<std::uint32_t>(program_fd);
        attributes.target_fd = static_cast<std::uint32_t>(event->get());
        attributes.attach_type = BPF_PERF_EVENT;
        attributes.cookie = site.cookie;
        UniqueFd fd(link_create(attributes));
        if (!fd) return attach_error(path, pid, errno);
        link.fds_.push_back(std::move(fd));
        link.fds_.push_back(std::move(*event));
    }
    return link;
}

}  // namespace mapaudit::sources
