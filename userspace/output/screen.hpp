// SPDX-License-Identifier: Apache-2.0
//
// The live screen. One at a time in a process, used by one thread: ncurses keeps its state globally. Nothing else may
// write to the terminal while it lives; the destructor gives the terminal back as it was, also during unwinding.
// Handle or block SIGINT, SIGTERM and SIGTSTP before it is made: ncurses takes over those that are at their default,
// and its way to end is _exit().
#pragma once

#include <memory>
#include <string>

#include "output/layout.hpp"
#include "output/sink.hpp"

namespace mapaudit::output {

class Screen final : public Sink {
public:
    // An empty `terminal` is the process's own; another is the path of a terminal device. An error (no terminal, TERM
    // unknown or dumb) means: use the row stream instead.
    static Result<std::unique_ptr<Screen>> make(View view, const std::string& terminal = {});
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    ~Screen() override;

    // Shows an interval; a total is the summary's to tell. Never blocks on input, and never fails: a terminal that is
    // gone shows in poll_keys().
    [[nodiscard]] Result<void> write(const model::Report& report) override;

    // Readable when a key was pressed: to be polled by the main loop, which then calls poll_keys(). A poll() that ends
    // with EINTR may be a resize: call it then, too.
    int fd() const;
    // Handles what was typed, redraws if need be; true once the user asked to quit or the terminal is gone.
    bool poll_keys();

private:
    struct Terminal;
    Screen(View view, std::unique_ptr<Terminal> terminal);
    bool handle(int key);
    void scroll_to(std::size_t row);
    void draw();

    View view_;
    ScreenState state_;
    std::unique_ptr<Terminal> terminal_;
    model::Report latest_, shown_;  // differ while paused
    std::size_t page_ = 1, last_scroll_ = 0;
    bool any_ = false;  // a report has come
    bool quit_ = false;
};

}  // namespace mapaudit::output
