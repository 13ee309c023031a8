// SPDX-License-Identifier: Apache-2.0
#include "symbols/worker.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <vector>

#include "symbols/channel.hpp"
#include "symbols/images.hpp"
#include "symbols/message.hpp"
#include "symbols/resolver.hpp"
#include "symbols/unwinder.hpp"

namespace mapaudit::symbols {
namespace {

constexpr rlim_t most_memory = rlim_t{4} << 30;

void close_range_or_each(unsigned first, unsigned last) {
    if (first > last || ::syscall(SYS_close_range, first, last, 0) == 0) return;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    for (rlim_t fd = first; fd <= last && fd < limit.rlim_cur; ++fd) ::close(static_cast<int>(fd));
}

// Descriptors of the auditor's that lived on here (links, above all) would keep its probes attached.
void keep_only(std::vector<int> kept) {
    std::sort(kept.begin(), kept.end());
    unsigned next = 0;
    for (const int fd : kept) {
        if (static_cast<unsigned>(fd) > next) close_range_or_each(next, static_cast<unsigned>(fd) - 1);
        next = static_cast<unsigned>(fd) + 1;
    }
    close_range_or_each(next, ~0u);
    // What libdw and the C library have to say of damaged files is not for the user's terminal.
    for (int fd = 0; fd < 3; ++fd)
        if (::fcntl(fd, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);
}

void settle_down(const MappedFiles& files, int channel, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    ::prctl(PR_SET_NAME, "mapaudit-names");
    std::vector<int> kept{channel};
    for (const MappedFile& file : files.all())
        if (file.fd) kept.push_back(file.fd.get());
    keep_only(kept);
    // ^C is the auditor's to handle; what kills has to kill, without a core file.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(signal, SIG_IGN);
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGCHLD}) std::signal(signal, SIG_DFL);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
#ifndef __SANITIZE_ADDRESS__
    const rlimit memory{most_memory, most_memory};
    ::setrlimit(RLIMIT_DATA, &memory);
#endif
    ::unsetenv("DEBUGINFOD_URLS");  // nothing is ever asked of the network
}

std::string answer(const std::string& request, Resolver& resolver, Unwinder& unwinder) {
    MessageReader question(request);
    MessageWriter reply;
    const auto kind = question.value<Question>();
    if (kind == Question::frames) {
        const auto address = question.value<std::uint64_t>();
        const auto is_return_address = question.value<std::uint8_t>() != 0;
        return reply.frames(resolver.frames_at({address, is_return_address})).take();
    }
    CapturedStack captured;
    captured.ip = question.value<std::uint64_t>();
    captured.sp = question.value<std::uint64_t>();
    captured.bp = question.value<std::uint64_t>();
    captured.saved = question.value<decltype(captured.saved)>();
    const auto memory = question.items<std::byte>();
    const auto chain = question.items<std::uint64_t>();
    captured.memory = memory;
    captured.frame_pointers = chain;
    Walk walk = unwinder.walk(captured);
    // Frame pointers alone do not tell their end from a break.
    if (!walk.cut.empty() && resolver.reaches_the_beginning(walk)) walk.cut.clear();
    if (kind == Question::stack) {
        const model::Stack stack = resolver.stack_of(walk);
        return reply.frames(stack.frames.all()).text(stack.cut).take();
    }
    std::vector<std::uint64_t> addresses;
    for (const Step& step : walk.steps) addresses.push_back(step.address);
    return reply.items(std::span<const std::uint64_t>(addresses)).text(walk.cut).take();
}

void serve(const MappedFiles& files, int channel, Marker& marker) {
    const Images images(files, marker);
    Resolver resolver(images);
    Unwinder unwinder(images);
    std::string request;
    while (receive_message(channel, request, {}))
        if (!send_message(channel, answer(request, resolver, unwinder))) break;
}

[[noreturn]] void live(const MappedFiles& files, int channel, Marker& marker, pid_t parent) {
    try {
        settle_down(files, channel, parent);
        serve(files, channel, marker);
    } catch (const std::exception&) {  // out of memory: as good as dead
        ::_exit(1);
    }
    ::_exit(0);
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(const MappedFiles& files, std::chrono::milliseconds patience) {
    void* shared = ::mmap(nullptr, sizeof(Marker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return Error::from_errno(Failure::failed, "cannot share memory with a worker", errno);
    auto* marker = new (shared) Marker;
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        ::munmap(shared, sizeof(Marker));
        return Error::from_errno(Failure::failed, "cannot make a socket for the worker that reads symbols", errno,
                                 "raise the limit on open files (ulimit -n)");
    }
    UniqueFd ours(ends[0]), theirs(ends[1]);
    const timeval send_limit{patience.count() / 1000,
                             patience.count() % 1000 * 1000};  // of a worker that hangs before it reads the question
    ::setsockopt(ours.get(), SOL_SOCKET, SO_SNDTIMEO, &send_limit, sizeof send_limit);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
        ::munmap(shared, sizeof(Marker));
        return Error::from_errno(Failure::failed, "cannot start the worker that reads symbols", errno);
    }
    if (pid == 0) live(files, theirs.get(), *marker, parent);
    return std::unique_ptr<Worker>(new Worker(pid, std::move(ours), marker, patience));
}

Worker::~Worker() {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    ::munmap(marker_, sizeof(Marker));
}

std::optional<std::string> Worker::ask(const std::string& request) {
    std::string reply;
    if (!send_message(channel_.get(), request) || !receive_message(channel_.get(), reply, patience_)) return {};
    return reply;
}

}  // namespace mapaudit::symbols
