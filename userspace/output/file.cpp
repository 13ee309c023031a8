// SPDX-License-Identifier: Apache-2.0
#include "output/file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <utility>

#include "output/format.hpp"

namespace mapaudit::output {

namespace {

std::string remedy_for(int err) {
    switch (err) {
        case ENOENT: return "make its folder first";
        case ENOTDIR: return "a part of the path is no folder";
        case EISDIR: return "name a file, not a folder";
        case EACCES:
        case EPERM: return "name a file that you may write";
        case EROFS: return "its file system is read-only: write elsewhere";
        case ENOSPC:
        case EDQUOT: return "free some space there, or write elsewhere";
        case EFBIG: return "raise the limit on file sizes (ulimit -f), or write elsewhere";
        case EPIPE: return "the program that read it has ended";
        case EBADF: return "it is closed: name a file instead";
        default: return {};
    }
}

// While it lives, a write to a pipe without a reader gives EPIPE and no SIGPIPE, whatever the program's disposition.
class SigpipeBlock {
public:
    SigpipeBlock() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    SigpipeBlock(const SigpipeBlock&) = delete;
    SigpipeBlock& operator=(const SigpipeBlock&) = delete;
    ~SigpipeBlock() {
        const timespec at_once{};
        if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);  // takes ours, if there is one
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t pipe_{}, before_{};
    bool was_pending_ = false;
};

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
    if (path == "-") return lent(STDOUT_FILENO, "standard output");
    const std::string name = escape(path);
    int fd = -1;
    do {
        fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        const int err = errno;
        return Error::from_errno(Failure::failed, "cannot open " + name + " for writing", err, remedy_for(err));
    }
    return OutputFile(fd, true, name);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), owned_(std::exchange(other.owned_, false)), name_(std::move(other.name_)) {}

OutputFile::~OutputFile() {
    if (owned_) ::close(fd_);
}

// 0, or the errno value that stopped it.
int OutputFile::write_all(std::string_view text) const {
    const SigpipeBlock no_sigpipe;
    while (!text.empty()) {
        const ssize_t written = ::write(fd_, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {  // somebody else made a shared terminal or pipe non-blocking
            pollfd ready{fd_, POLLOUT, 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

Result<void> OutputFile::write(std::string_view text) {
    const off_t end = owned_ ? ::lseek(fd_, 0, SEEK_CUR) : -1;  // -1 for pipes, and for files that others write too
    const int err = write_all(text);
    if (err == 0) return {};
    if (end >= 0 && ::ftruncate(fd_, end) == 0) ::lseek(fd_, end, SEEK_SET);
    return Error::from_errno(Failure::failed, "cannot write to " + name_, err, remedy_for(err));
}

}  // namespace mapaudit::output
