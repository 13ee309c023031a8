// SPDX-License-Identifier: Apache-2.0
#include "support/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

extern char** environ;

namespace mapaudit::test {
namespace {

struct Pipe {
    int read_end = -1, write_end = -1;
    Pipe() {
        int fds[2];
        if (::pipe2(fds, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
        read_end = fds[0];
        write_end = fds[1];
    }
};

// Appends what there is; closes the stream at its end.
void drain(int& fd, std::string& text) {
    char buffer[65536];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) {
        text.append(buffer, static_cast<std::size_t>(n));
    } else if (n == 0 || errno != EINTR) {
        ::close(fd);
        fd = -1;
    }
}

}  // namespace

Child::Child(const std::vector<std::string>& argv, Input input) {
    const Pipe out, err;
    const std::optional<Pipe> in = input == Input::pipe ? std::optional<Pipe>(std::in_place) : std::nullopt;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (in) posix_spawn_file_actions_adddup2(&actions, in->read_end, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.write_end, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const int error = ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (in) {
        ::close(in->read_end);
        in_fd_ = in->write_end;
    }
    ::close(out.write_end);
    ::close(err.write_end);
    out_fd_ = out.read_end;
    err_fd_ = err.read_end;
    if (error != 0) {
        pid_ = -1;
        close_all();
        throw std::system_error(error, std::generic_category(), "cannot start " + argv[0]);
    }
}

Child::~Child() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    close_all();
}

void Child::close_all() {
    if (in_fd_ >= 0) ::close(in_fd_);
    if (out_fd_ >= 0) ::close(out_fd_);
    if (err_fd_ >= 0) ::close(err_fd_);
    in_fd_ = out_fd_ = err_fd_ = -1;
}

void Child::send(int signal) const {
    if (pid_ > 0) ::kill(pid_, signal);
}

bool Child::read_some(Clock::time_point deadline) {
    if (out_fd_ < 0 && err_fd_ < 0) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd fds[] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}};
    if (::poll(fds, 2, static_cast<int>(left)) > 0) {
        if (fds[0].revents != 0) drain(out_fd_, out_);
        if (fds[1].revents != 0) drain(err_fd_, err_);
    }
    return true;
}

bool Child::wait_for(const std::string& marker, Seconds limit) {
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
    for (;;) {
        if (err_.find(marker) != std::string::npos || out_.find(marker) != std::string::npos) return true;
        if (!read_some(deadline)) return false;
    }
}

bool Child::write_line(const std::string& line) {
    const std::string bytes = line + '\n';
    // MSG_NOSIGNAL is for sockets alone: a child that is gone must not end its tester.
    struct sigaction ignore {
    }, before{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before);
    const ssize_t written = ::write(in_fd_, bytes.data(), bytes.size());
    ::sigaction(SIGPIPE, &before, nullptr);
    return written == static_cast<ssize_t>(bytes.size());
}

void Child::end_input() {
    if (in_fd_ >= 0) ::close(in_fd_);
    in_fd_ = -1;
}

std::optional<std::string> Child::read_line(Seconds limit) {
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
    for (;;) {
        const std::size_t end = out_.find('\n', lines_read_);
        if (end != std::string::npos) {
            std::string line = out_.substr(lines_read_, end - lines_read_);
            lines_read_ = end + 1;
            return line;
        }
        if (!read_some(deadline)) return {};
    }
}

Finished Child::finish(Seconds limit) {
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
    while (read_some(deadline)) {
    }
    Finished result;
    if (out_fd_ >= 0 || err_fd_ >= 0) {
        result.timed_out = true;
        send(SIGKILL);
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    result.out = out_;
    result.err = err_;
    return result;
}

}  // namespace mapaudit::test
