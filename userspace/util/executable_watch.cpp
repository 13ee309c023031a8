// SPDX-License-Identifier: Apache-2.0
#include "util/executable_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>

namespace mapaudit {
namespace {

using clock = std::chrono::steady_clock;

// After the file was opened, whoever did it may take a while until it runs it; or was only a reader.
constexpr auto after_opening = std::chrono::milliseconds(200);
constexpr int look_often_ms = 1, look_seldom_ms = 250;

void drain(int fd) {
    alignas(inotify_event) char events[4096];
    while (::read(fd, events, sizeof events) > 0) {
    }
}

}  // namespace

Result<ExecutableWatch> ExecutableWatch::make(const std::string& path) {
    struct stat file;
    if (::stat(path.c_str(), &file) != 0)
        return Error::from_errno(Failure::no_target, "cannot watch " + path, errno, "give the path of an executable");
    if (!S_ISREG(file.st_mode))
        return Error::of(Failure::no_target, "cannot watch " + path + ": it is no file",
                         "give the path of an executable");
    UniqueFd opened(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (opened && ::inotify_add_watch(opened.get(), path.c_str(), IN_OPEN) < 0) opened.reset();
    return ExecutableWatch(file.st_dev, file.st_ino, std::move(opened));
}

std::vector<int> ExecutableWatch::running() const {
    std::vector<int> pids;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename().string();
        int pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc() || end != name.data() + name.size()) continue;
        struct stat file;
        if (::stat((entry.path() / "exe").c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_)
            pids.push_back(pid);
    }
    std::sort(pids.begin(), pids.end());
    return pids;
}

std::vector<int> ExecutableWatch::wait(int stop) const {
    clock::time_point often_until{};
    for (;;) {
        if (auto pids = running(); !pids.empty()) return pids;
        pollfd fds[] = {{stop, POLLIN, 0}, {opened_.get(), POLLIN, 0}};
        (void)::poll(fds, 2, clock::now() < often_until ? look_often_ms : look_seldom_ms);
        if (fds[0].revents != 0) return {};
        if (fds[1].revents == 0) continue;
        drain(opened_.get());
        often_until = clock::now() + after_opening;
    }
}

}  // namespace mapaudit
