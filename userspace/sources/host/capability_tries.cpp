// SPDX-License-Identifier: Apache-2.0
#include "sources/host/capability_tries.hpp"

#include <bpf/bpf.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sources/blame/blame_programs.hpp"
#include "util/process.hpp"

namespace mapaudit::sources {
namespace {

constexpr const char* privilege_remedy = "run as root, or with CAP_BPF and CAP_PERFMON";
constexpr const char* kernel_remedy = "a kernel built with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS is needed";

Error bpf_error(const std::string& what, int err) {
    const bool refused = err == EPERM || err == EACCES;
    return Error::from_errno(Failure::not_permitted, what, err, refused ? privilege_remedy : kernel_remedy);
}

Result<UniqueFd> load_nothing(int attach_type) {
    // r0 = 0; exit
    const bpf_insn nothing[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    bpf_prog_load_opts options{};
    options.sz = sizeof options;
    options.expected_attach_type = static_cast<bpf_attach_type>(attach_type);
    UniqueFd program(::bpf_prog_load(BPF_PROG_TYPE_KPROBE, "mapaudit_try", "GPL", nothing, 2, &options));
    if (!program) return bpf_error("cannot load an eBPF program", errno);
    return program;
}

// Where the probe goes. Nobody calls it.
[[gnu::noinline, gnu::used]] void probed() { asm volatile(""); }

struct Place {
    std::string path;
    std::uint64_t offset = 0;
};

Result<Place> place_of(std::uintptr_t address) {
    const auto self = Process::open(::getpid());
    if (!self) return self.error();
    const auto mappings = self->mappings();
    if (!mappings) return mappings.error();
    for (const Mapping& mapping : *mappings)
        if (mapping.start <= address && address < mapping.end)
            return Place{self->path_to(mapping), address - mapping.start + mapping.offset};
    return Error::of(Failure::failed, "cannot find this program in its own memory map");
}

Result<UprobeLink> attach_nothing_by(UprobeMechanism mechanism, std::uintptr_t address) {
    const auto program = load_nothing(mechanism == UprobeMechanism::multi ? attach_type_uprobe_multi : 0);
    if (!program) return program.error();
    const auto place = place_of(address);
    if (!place) return place.error();
    return UprobeLink::attach(mechanism, program->get(), place->path, ::getpid(), {{place->offset, 0, 0}});
}

}  // namespace

Result<void> try_bpf_program() {
    const auto loaded = load_nothing(0);
    if (!loaded) return loaded.error();
    return {};
}

Result<void> try_bpf_ring() {
    const auto bytes = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
    const UniqueFd ring(::bpf_map_create(BPF_MAP_TYPE_RINGBUF, "mapaudit_try", 0, 0, bytes, nullptr));
    if (!ring) return bpf_error("cannot make an eBPF ring buffer", errno);
    return {};
}

Result<void> try_uprobe(UprobeMechanism mechanism) {
    if (mechanism == UprobeMechanism::multi && probe_uprobe_mechanism() != UprobeMechanism::multi)
        return Error::of(Failure::not_permitted, "this kernel knows no uprobe_multi link", "Linux 6.6 or later has it");
    const auto link = attach_nothing_by(mechanism, reinterpret_cast<std::uintptr_t>(&probed));
    if (!link) return link.error();
    return {};
}

Result<UprobeLink> attach_nothing(std::uintptr_t address) {
    return attach_nothing_by(probe_uprobe_mechanism(), address);
}

Result<void> try_scheduler() {
    auto programs = BlamePrograms::load({16, 16});
    if (!programs) return programs.error();
    return (*programs)->watch_scheduler();
}

Optimised try_optimised_uprobes() {
#if defined(__x86_64__)
    constexpr long uprobe_call = 336;  // not in headers before Linux 6.18
    const pid_t child = ::fork();
    if (child < 0) return Optimised::unknown;
    if (child == 0) {
        const rlimit no_core{};
        (void)::setrlimit(RLIMIT_CORE, &no_core);
        errno = 0;
        (void)::syscall(uprobe_call);
        ::_exit(errno == ENOSYS ? 1 : 0);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    // Called from anywhere but the kernel's own trampoline it is refused, or ends the caller: either way it is there.
    return WIFEXITED(status) && WEXITSTATUS(status) == 1 ? Optimised::no : Optimised::yes;
#else
    return Optimised::no;
#endif
}

}  // namespace mapaudit::sources
