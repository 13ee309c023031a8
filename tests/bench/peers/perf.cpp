// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "peers/peers.hpp"
#include "peers/uprobe_events.hpp"
#include "processes.hpp"
#include "tool_output.hpp"

namespace mapaudit::bench {
namespace {

constexpr int patience_ms = 20'000;

// Through which a recording perf is told to begin, and says that it has. Both ends stay open here, so that opening
// never waits for perf.
class Fifo {
public:
    explicit Fifo(const std::filesystem::path& path) : path_(path) {
        ::unlink(path.c_str());
        if (::mkfifo(path.c_str(), 0600) == 0) fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        if (fd_ < 0) throw BenchError("cannot make " + path.string() + ": " + std::strerror(errno));
    }
    Fifo(const Fifo&) = delete;
    Fifo& operator=(const Fifo&) = delete;
    ~Fifo() {
        ::close(fd_);
        ::unlink(path_.c_str());
    }

    void write(const std::string& text) const {
        if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            throw BenchError("cannot write to perf");
    }
    bool readable(int ms) const {
        pollfd fd{fd_, POLLIN, 0};
        return ::poll(&fd, 1, ms) == 1;
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
    int fd_ = -1;
};

class Perf : public Tracer {
public:
    Perf(const std::string& binary, std::filesystem::path scratch, bool assigns)
        : probes_(binary, scratch, assigns),
          control_(scratch / "perf.control"),
          acknowledged_(scratch / "perf.ack"),
          data_(scratch / "perf.data") {}
    ~Perf() override { std::filesystem::remove(data_, ignored_); }

    void attach(Subject& subject) override {
        // 8 MiB a CPU instead of half of one: with a page it loses a fifth, and costs the operation twice as much.
        std::vector<std::string> command{
            "perf",         "record",
            "--no-buildid", "--no-buildid-cache",
            "-m",           "8M",
            "-D",           "-1",
            "-p",           std::to_string(subject.pid()),
            "-o",           data_,
            "--control",    "fifo:" + control_.path().string() + "," + acknowledged_.path().string()};
        for (const std::string& event : probes_.names()) command.insert(command.end(), {"-e", event});
        child_.emplace(command);
        control_.write("enable\n");
        if (acknowledged_.readable(patience_ms)) return;
        child_->send(SIGKILL);
        throw BenchError("perf record did not begin: " + complaint(child_->finish().err));
    }

    Seen detach(Subject& subject) override {
        child_->send(SIGINT);
        const test::Finished ended = child_->finish();
        child_.reset();
        // perf ends itself by the signal that it was sent, once all is written.
        if (ended.exit_code != 0 && ended.signal != SIGINT) throw BenchError("perf record: " + complaint(ended.err));
        subject.await_detached();
        const std::string stats = output_of({"perf", "report", "-i", data_, "--stats"});
        std::filesystem::remove(data_, ignored_);
        const auto counts = perf_counts(stats);
        if (!counts) throw BenchError("perf report --stats counts no samples, or cannot say how many were lost");
        return {counts->samples, counts->lost};
    }

    std::uint64_t cpu_ns() const override { return child_ ? tree_cpu_ns(child_->pid()) : 0; }

private:
    UprobeEvents probes_;
    Fifo control_, acknowledged_;
    std::filesystem::path data_;
    std::error_code ignored_;
    std::optional<test::Child> child_;
};

}  // namespace

std::unique_ptr<Tracer> make_perf(const std::string& binary, std::filesystem::path scratch, bool assigns) {
    return std::make_unique<Perf>(binary, std::move(scratch), assigns);
}

}  // namespace mapaudit::bench
