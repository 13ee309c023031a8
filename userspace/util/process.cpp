// SPDX-License-Identifier: Apache-2.0
#include "util/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mapaudit {
namespace {

constexpr std::size_t iov_limit = 1024;  // UIO_MAXIOV

std::string proc(int pid, const char* entry) { return "/proc/" + std::to_string(pid) + "/" + entry; }

bool same_file(const std::string& path, const Mapping& mapping) {
    struct stat found;
    return ::stat(path.c_str(), &found) == 0 && found.st_ino == mapping.inode;
}

std::string link_target(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::read_symlink(path, ignored).string();
}

}  // namespace

Result<Process> Process::open(int pid) {
    UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!fd) {
        if (errno == ESRCH || errno == EINVAL)
            return Error::of(Failure::no_target, "no process with id " + std::to_string(pid),
                             errno == EINVAL ? "give a process id, not a thread's" : "see `ps`");
        return Error::from_errno(Failure::not_permitted, "cannot open process " + std::to_string(pid), errno,
                                 "Linux 5.3 or later is needed");
    }
    Process process(pid, std::move(fd));
    if (!process.alive()) return Error::of(Failure::no_target, "process " + std::to_string(pid) + " has ended");
    return process;
}

bool Process::alive() const {
    pollfd wait{pidfd_.get(), POLLIN, 0};
    return ::poll(&wait, 1, 0) == 0;
}

std::string Process::comm() const {
    std::ifstream file(proc(pid_, "comm"));
    std::string name;
    std::getline(file, name);
    return name;
}

Result<std::vector<Mapping>> Process::mappings() const {
    std::ifstream file(proc(pid_, "maps"));
    std::vector<Mapping> found;
    std::string line;
    while (std::getline(file, line)) {
        Mapping m;
        unsigned major_id = 0, minor_id = 0;
        char permissions[5] = {};
        int path_at = 0;
        if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m.start, &m.end,
                        permissions, &m.offset, &major_id, &minor_id, &m.inode, &path_at) < 7)
            continue;
        if (m.inode == 0 || path_at == 0) continue;
        m.device = makedev(major_id, minor_id);
        m.executable = permissions[2] == 'x';
        m.path = line.substr(static_cast<std::size_t>(path_at));
        found.push_back(std::move(m));
    }
    if (!found.empty()) return found;
    if (!alive()) return Error::of(Failure::no_target, "process " + std::to_string(pid_) + " has ended");
    // A kernel thread, or a process that this user may not look into: opening tells them apart.
    UniqueFd probe(::open(proc(pid_, "maps").c_str(), O_RDONLY | O_CLOEXEC));
    char byte;
    if (!probe || ::read(probe.get(), &byte, 1) < 0)
        return Error::from_errno(Failure::not_permitted,
                                 "cannot read the memory map of process " + std::to_string(pid_), errno,
                                 "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE");
    return Error::of(Failure::no_target, "process " + std::to_string(pid_) + " maps no file: nothing to audit in it");
}

std::string Process::path_to(const Mapping& mapping) const {
    const std::string exe = proc(pid_, "exe");
    // By name too: on an overlay, the memory map shows the lower file's inode.
    if (same_file(exe, mapping) || link_target(exe) == mapping.path) return exe;
    char range[64];
    std::snprintf(range, sizeof range, "map_files/%" PRIx64 "-%" PRIx64, mapping.start, mapping.end);
    const std::string by_range = proc(pid_, range);
    if (same_file(by_range, mapping)) return by_range;
    const std::string by_root = proc(pid_, "root") + mapping.path;
    if (same_file(by_root, mapping)) return by_root;
    return {};
}

bool Process::read(std::uint64_t from, void* to, std::size_t bytes) const {
    iovec local{to, bytes};
    iovec remote{reinterpret_cast<void*>(static_cast<std::uintptr_t>(from)), bytes};
    return ::process_vm_readv(pid_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
}

std::size_t Process::read_many(std::span<const RemoteRead> pieces) const {
    std::size_t done = 0;
    std::vector<iovec> local, remote;
    for (std::size_t at = 0; at < pieces.size();) {
        const auto part = pieces.subspan(at, std::min(iov_limit, pieces.size() - at));
        local.clear();
        remote.clear();
        for (const RemoteRead& piece : part) {
            local.push_back({piece.to, piece.bytes});
            remote.push_back({reinterpret_cast<void*>(static_cast<std::uintptr_t>(piece.from)), piece.bytes});
        }
        ssize_t copied = ::process_vm_readv(pid_, local.data(), local.size(), remote.data(), remote.size(), 0);
        // A short copy stopped at the first unreadable piece: zero that one and go on behind it.
        std::size_t i = 0;
        for (; i < part.size() && copied >= static_cast<ssize_t>(part[i].bytes); ++i, ++done)
            copied -= static_cast<ssize_t>(part[i].bytes);
        if (i < part.size()) {
            std::memset(part[i].to, 0, part[i].bytes);
            ++i;
        }
        at += i;
    }
    return done;
}

}  // namespace mapaudit
