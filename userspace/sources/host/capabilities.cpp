// SPDX-License-Identifier: Apache-2.0
#include "sources/host/capabilities.hpp"

#include <dlfcn.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>

#include "sources/attach/perf_event.hpp"
#include "sources/host/capability_tries.hpp"
#include "sources/host/uprobe_scaling.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace mapaudit::sources {
namespace {

std::optional<std::string> first_line(const char* path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return line;
}

// What a try found: ok, or its error. `otherwise` is what its failure means for an audit.
Capability tried(const char* name, const char* title, const Result<void>& result, State otherwise, const char* origin) {
    if (result) return {name, title, State::ok, "works", origin, {}};
    return {name, title, otherwise, result.error().what, origin, result.error().remedy};
}

// Either of the two will do.
void add_uprobes(std::vector<Capability>& all) {
    const auto multi = try_uprobe(UprobeMechanism::multi), perf = try_uprobe(UprobeMechanism::perf_events);
    const State failed = multi || perf ? State::degraded : State::missing;
    all.push_back(tried("uprobe_multi", "probes by one link", multi, failed, "bpf(BPF_LINK_CREATE)"));
    all.push_back(tried("uprobe_perf", "probes by perf events", perf, failed, "perf_event_open(2)"));
}

Capability semaphores() {
    constexpr const char* path = "/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset";
    Capability c{"uprobe_semaphores", "semaphores of probes", State::ok, "raised by the kernel", path, {}};
    if (probe_uprobe_mechanism() == UprobeMechanism::multi) {
        c.origin = "bpf(BPF_LINK_CREATE)";  // which has always had them
    } else if (!first_line(path)) {
        c.state = State::missing;
        c.found = "the kernel does not raise them";
        c.remedy = "Linux 4.20 or later is needed";
    }
    return c;
}

Capability optimised_uprobes() {
    Capability c{"uprobe_optimised", "probes as calls, not traps", State::ok, "yes: a hit costs half", "uprobe(2)", {}};
    if (try_optimised_uprobes() == Optimised::yes) return c;
    c.state = State::degraded;
    c.found = "no: every hit is a breakpoint";
#if defined(__x86_64__)
    c.remedy = "Linux 6.18 or later has them on x86-64; nothing is lost without";
#endif
    return c;
}

Capability scaling_uprobes() {
    constexpr unsigned most_threads = 8;
    Capability c{
        "uprobe_scaling", "probes hit by many threads", State::ok, {}, "hits on a probe of its own, timed", {}};
    const auto scaling = try_uprobe_scaling(most_threads);
    if (!scaling) {
        c.state = State::degraded;
        c.found = "not known: " + scaling.error().what;
        c.remedy = scaling.error().remedy;
        return c;
    }
    char figures[160];
    std::snprintf(figures, sizeof figures, "%.2f M hits a second alone, %.2f M each by %u threads at once (%.0f %%)",
                  scaling->alone / 1e6, scaling->together / 1e6, scaling->threads, 100 * scaling->kept());
    c.found = figures;
    if (scaling->scales()) return c;
    c.state = State::degraded;
    c.found += ": they hold one another up";
    c.remedy =
        "an audit of many threads adds waits of its own: audit with --level sampled, or --max-overhead; Linux 6.14 "
        "and later hit probes without a shared lock";
    return c;
}

Capability kernel_btf() {
    constexpr const char* path = "/sys/kernel/btf/vmlinux";
    if (std::ifstream(path).good()) return {"kernel_btf", "types of the kernel (BTF)", State::ok, "present", path, {}};
    return {"kernel_btf",
            "types of the kernel (BTF)",
            State::degraded,
            "absent: sleeps and preemptions in operations cannot be seen",
            path,
            "a kernel built with CONFIG_DEBUG_INFO_BTF has them"};
}

void add_counters(std::vector<Capability>& all) {
    constexpr const char* names[] = {"hw_cycles", "hw_instructions", "hw_cache_misses", "hw_branch_misses"};
    for (std::size_t i = 0; i < hardware_counters().size(); ++i)
        all.push_back(tried(names[i], ("hardware: " + hardware_counters()[i].name).c_str(),
                            try_counter(hardware_counters()[i]), State::degraded, "perf_event_open(2)"));
}

struct Right {
    const char* name;
    const char* title;
    int bit;
    State without;
    const char* needed_for;
};

// CAP_SYS_ADMIN holds what CAP_BPF and CAP_PERFMON do.
constexpr Right rights[] = {
    {"cap_bpf", "CAP_BPF", 39, State::missing, "eBPF programs cannot be loaded"},
    {"cap_perfmon", "CAP_PERFMON", 38, State::missing, "eBPF programs cannot read what they trace"},
    {"cap_sys_ptrace", "CAP_SYS_PTRACE", CAP_SYS_PTRACE, State::degraded, "other users' processes cannot be read"},
    {"cap_sys_admin", "CAP_SYS_ADMIN", CAP_SYS_ADMIN, State::degraded,
     "probes cannot be attached by perf events, as kernels without uprobe_multi want it"},
};

void add_rights(std::vector<Capability>& all) {
    constexpr const char* path = "/proc/self/status";
    std::ifstream file(path);
    std::uint64_t effective = 0;
    for (std::string key; file >> key;)
        if (key == "CapEff:") file >> std::hex >> effective;
    const auto holds = [&](int bit) { return (effective >> bit & 1) != 0; };
    for (const Right& right : rights) {
        const bool by_admin = right.bit >= 38 && holds(CAP_SYS_ADMIN);
        if (holds(right.bit) || by_admin)
            all.push_back(
                {right.name, right.title, State::ok, holds(right.bit) ? "held" : "held, by CAP_SYS_ADMIN", path, {}});
        else
            all.push_back({right.name, right.title, right.without, std::string("not held: ") + right.needed_for, path,
                           std::string("run as root, or give it: setcap ") + right.name + "+ep on the program"});
    }
}

Capability lockdown() {
    constexpr const char* path = "/sys/kernel/security/lockdown";
    const std::string modes = first_line(path).value_or("");
    Capability c{"lockdown", "kernel lockdown", State::ok, "off", path, {}};
    if (modes.find("[integrity]") != std::string::npos) c.found = "integrity: no hindrance";
    if (modes.find("[confidentiality]") != std::string::npos) {
        c.state = State::missing;
        c.found = "confidentiality: eBPF programs may not read memory";
        c.remedy = "boot without lockdown=confidentiality";
    }
    return c;
}

// Only of interest without rights, which an audit needs in any case.
Capability sysctl(const char* name, const char* title, const char* path, const char* meaning) {
    const auto value = first_line(path);
    return {name, title, State::ok, value ? *value + meaning : "not present", path, {}};
}

Capability pid_namespace() {
    constexpr const char* path = "/proc/self/ns/pid";
    constexpr ino_t initial = 0xEFFFFFFC;  // PROC_PID_INIT_INO
    struct stat own;
    const bool known = ::stat(path, &own) == 0;
    if (known && own.st_ino == initial)
        return {"pid_namespace", "PID namespace", State::ok, "the initial one: every process can be named", path, {}};
    return {"pid_namespace",
            "PID namespace",
            State::degraded,
            known ? "one of its own: only its processes can be audited" : "unknown",
            path,
            "run on the host to audit others"};
}

Capability invariant_counter() {
    Capability c{"invariant_tsc", "invariant counter", State::ok, "yes: operations are timed with it", "cpuid", {}};
#if defined(__x86_64__)
    unsigned a = 0, b = 0, k = 0, d = 0;
    if (__get_cpuid(0x80000007u, &a, &b, &k, &d) == 0 || (d & (1u << 8)) == 0) {
        c.state = State::degraded;
        c.found = "no: operations are timed with CLOCK_MONOTONIC, which costs more";
        c.remedy = "a virtual machine needs its host to pass the invariant TSC on";
    }
#else
    c.origin = "the architecture";
#endif
    return c;
}

Capability unwinder() {
    constexpr const char* library = "libdw.so.1";
    void* handle = ::dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (handle != nullptr) {
        ::dlclose(handle);
        return {"unwinder", "debug information", State::ok, "libdw is present", library, {}};
    }
    return {"unwinder",      "debug information",
            State::degraded, "no libdw: stacks need frame pointers, and have no line numbers",
            library,         "install libdw1 (elfutils)"};
}

}  // namespace

std::string_view state_name(State state) {
    switch (state) {
        case State::ok: return "ok";
        case State::degraded: return "degraded";
        case State::missing: return "missing";
    }
    return "";
}

std::vector<Capability> ask_capabilities() {
    std::vector<Capability> all;
    all.push_back(tried("bpf", "eBPF programs", try_bpf_program(), State::missing, "bpf(BPF_PROG_LOAD)"));
    all.push_back(tried("bpf_ringbuf", "eBPF ring buffers", try_bpf_ring(), State::missing, "bpf(BPF_MAP_CREATE)"));
    add_uprobes(all);
    all.push_back(semaphores());
    all.push_back(optimised_uprobes());
    all.push_back(scaling_uprobes());
    all.push_back(kernel_btf());
    all.push_back(tried("tp_btf", "scheduler tracepoint", try_scheduler(), State::degraded, "bpf(BPF_LINK_CREATE)"));
    all.push_back(
        tried("perf_clock", "CPU samples by clock", try_counter(cpu_clock()), State::degraded, "perf_event_open(2)"));
    add_counters(all);
    add_rights(all);
    all.push_back(lockdown());
    all.push_back(sysctl("unprivileged_bpf", "eBPF without rights", "/proc/sys/kernel/unprivileged_bpf_disabled",
                         " (unprivileged_bpf_disabled): an audit needs CAP_BPF in any case"));
    all.push_back(sysctl("perf_event_paranoid", "perf without rights", "/proc/sys/kernel/perf_event_paranoid",
                         " (perf_event_paranoid): no hindrance to CAP_PERFMON"));
    all.push_back(pid_namespace());
    all.push_back(invariant_counter());
    all.push_back(unwinder());
    return all;
}

bool can_audit(const std::vector<Capability>& capabilities) {
    const auto works = [&](std::string_view name) {
        return std::any_of(capabilities.begin(), capabilities.end(),
                           [&](const Capability& c) { return c.name == name && c.state == State::ok; });
    };
    return works("bpf") && works("bpf_ringbuf") && works("uprobe_semaphores") &&
           (works("uprobe_multi") || works("uprobe_perf"));
}

}  // namespace mapaudit::sources
