// SPDX-License-Identifier: Apache-2.0
//
// What an audit waits for, and which of it has come: timers, signals, the ends of targets, other people's descriptors.
#pragma once

#include <poll.h>

#include <optional>
#include <vector>

#include "util/process.hpp"
#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::collect {

enum class Woken {
    stop,           // a stop signal has come
    duration_over,  // once
    targets_gone,   // all of them, once
    priced,         // once
    interval,       // it is over
    governor,       // it is time for its next step
    look,           // it is time for a look before the first interval is over
    keyboard,       // a key was pressed, or the terminal was resized
    urgent,         // a source has something that cannot wait
};

// Descriptors are the caller's and outlive it; a negative one is not waited for.
struct WakeOptions {
    double interval_s = 1;
    std::optional<double> duration_s;
    bool governed = false;
    int stop_fd = -1, priced_fd = -1, keyboard_fd = -1;
    std::vector<int> urgent_fds;
    std::vector<const Process*> targets;
};

// Not thread safe.
class Wakeups {
public:
    // The timers start here.
    static Result<Wakeups> make(const WakeOptions& options);

    // Waits for the next; of several that have come, the one that stands first in Woken. Fails where nothing can be
    // waited for any more.
    Result<Woken> wait();

private:
    struct Entry {
        Woken meaning;
        bool timer;
    };
    Result<void> add_timer(Woken meaning, double first_s, double every_s);
    void add(int fd, Woken meaning);
    // Whether a descriptor that is ready wakes anybody.
    bool takes(std::size_t index);
    void look_later(int timer);

    std::vector<UniqueFd> timers_;
    std::vector<pollfd> fds_;
    std::vector<Entry> entries_;  // of each descriptor
    double interval_s_ = 1, look_s_ = 0;
    std::size_t targets_ = 0;
};

}  // namespace mapaudit::collect
