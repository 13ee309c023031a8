// SPDX-License-Identifier: Apache-2.0
#include "peers/surroundings.hpp"

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <string>

#include "processes.hpp"
#include "subject.hpp"

namespace mapaudit::bench {
namespace {

void mount_empty(const char* where) {
    if (::mount("tmpfs", where, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0)
        throw BenchError(std::string("cannot mount an empty ") + where + ": " + std::strerror(errno));
}

}  // namespace

Scratch::Scratch(std::filesystem::path folder) : folder_(std::filesystem::absolute(folder)) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
}

Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

Orphanage::Orphanage() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

Orphanage::~Orphanage() {
    // Killing one may hand over its own children.
    for (auto left = children_of(::getpid()); !left.empty(); left = children_of(::getpid()))
        for (const pid_t pid : left) {
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
}

void move_into_own_surroundings(const Scratch& scratch) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        throw BenchError(std::string("cannot have mounts of our own (needs CAP_SYS_ADMIN): ") + std::strerror(errno));
    mount_empty("/run");
    mount_empty("/dev/shm");
    // Where it fails, perf says what it misses, and is left out.
    ::mount("nodev", "/sys/kernel/tracing", "tracefs", 0, nullptr);
    for (const char* variable : {"HOME", "LTTNG_HOME"}) ::setenv(variable, scratch.path().c_str(), 1);
    // Debian has funclatency in /usr/sbin, which is not on everybody's PATH.
    const char* path = ::getenv("PATH");
    ::setenv("PATH", ((path != nullptr ? std::string(path) + ":" : "") + "/usr/sbin:/sbin").c_str(), 1);
}

}  // namespace mapaudit::bench
