// SPDX-License-Identifier: Apache-2.0
//
// A program under test, run as a process of its own, with what it prints.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "support/programs.hpp"

namespace mapaudit::test {

// How a child ended, and all that it printed.
struct Finished {
    int exit_code = -1;  // -1 when a signal ended it
    int signal = 0;
    std::string out, err;
    // All that it printed; which stream something goes to is tested where it matters.
    std::string said() const { return out + err; }
    bool timed_out = false;  // it was killed for taking too long; says nothing else of interest
};

class Child {
public:
    using Seconds = std::chrono::duration<double>;

    enum class Input { inherited, pipe };

    // Starts argv[0], looked for on PATH; throws std::system_error when it cannot be started.
    explicit Child(const std::vector<std::string>& argv, Input input = Input::inherited);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();  // kills and reaps what still runs

    pid_t pid() const noexcept { return pid_; }
    void send(int signal) const;

    // Reads until `marker` has appeared on stderr or stdout; false when it ended or the time was up before.
    bool wait_for(const std::string& marker, Seconds limit = Seconds(30));
    // With Input::pipe: writes a line to its stdin. False when it no longer reads.
    bool write_line(const std::string& line);
    // With Input::pipe: its stdin ends here.
    void end_input();
    // The next line of its stdout that no read_line has returned, without its newline; nothing when it ended or the
    // time was up before.
    std::optional<std::string> read_line(Seconds limit = Seconds(30));
    // Waits for its end; kills it when the time is up.
    Finished finish(Seconds limit = Seconds(60));

    const std::string& out() const noexcept { return out_; }
    const std::string& err() const noexcept { return err_; }

private:
    using Clock = std::chrono::steady_clock;
    bool read_some(Clock::time_point deadline);  // false: both streams have ended, or the time is up
    void close_all();

    pid_t pid_ = -1;
    int in_fd_ = -1, out_fd_ = -1, err_fd_ = -1;
    std::size_t lines_read_ = 0;  // bytes of out_ that read_line has returned
    std::string out_, err_;
};

// Runs a program to its end.
inline Finished run(const std::vector<std::string>& argv, Child::Seconds limit = Child::Seconds(60)) {
    return Child(argv).finish(limit);
}

}  // namespace mapaudit::test
