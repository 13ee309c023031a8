// SPDX-License-Identifier: Apache-2.0
#include "output/screen.hpp"

#ifndef _XOPEN_SOURCE_EXTENDED
#define _XOPEN_SOURCE_EXTENDED  // ncurses' wide functions
#endif
#define NCURSES_NOMACROS
#include <curses.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#undef lines  // term.h names a macro like that

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "output/format.hpp"

namespace mapaudit::output {

namespace {

constexpr int escape_delay_ms = 25;  // how long a lone ESC may still be the start of an arrow key

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Has a descriptor of its own, so that closing it leaves the process's streams alone.
File open_terminal(const std::string& path, int standard, int flags, const char* mode) {
    int fd = ::open(path.empty() ? "/dev/tty" : path.c_str(), flags | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && path.empty() && ::isatty(standard)) fd = ::fcntl(standard, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return nullptr;
    std::FILE* file = ::fdopen(fd, mode);
    if (file == nullptr) ::close(fd);
    return File(file);
}

// The table holds "µ" and names in UTF-8; ncurses counts columns by the locale.
void use_utf8() {
    std::setlocale(LC_CTYPE, "");
    if (std::string_view(::nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
}

// Before newterm(), which leaks when it refuses a type and takes ones on which nothing can be drawn.
Result<void> check_type(int fd) {
    const char* type = std::getenv("TERM");
    const std::string named = "terminal type \"" + escape(type != nullptr ? type : "") + "\" (TERM) ";
    int status = 0;
    if (type == nullptr || *type == '\0' || ::setupterm(type, fd, &status) != OK)
        return Error::of(Failure::failed, named + "is not known here",
                         "use --plain, or set TERM to one that is, such as xterm");
    const char* move_cursor = ::tigetstr("cup");
    const bool can_move = move_cursor != nullptr && *move_cursor != '\0';
    ::del_curterm(::cur_term);
    if (!can_move) return Error::of(Failure::failed, named + "cannot move its cursor", "use --plain");
    return {};
}

chtype attribute(Ink ink) {
    switch (ink) {
        case Ink::title: return A_BOLD;
        case Ink::header: return A_REVERSE;
        case Ink::warning: return A_BOLD | A_STANDOUT;
        case Ink::faint: return A_DIM;
        case Ink::plain: break;
    }
    return A_NORMAL;
}

}  // namespace

struct Screen::Terminal {
    File in, out;
    SCREEN* screen;

    Terminal(File in_file, File out_file, SCREEN* made)
        : in(std::move(in_file)), out(std::move(out_file)), screen(made) {}
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal() {
        ::set_term(screen);
        ::endwin();
        ::delscreen(screen);
    }

    bool gone() const {
        pollfd state{::fileno(in.get()), POLLIN, 0};
        return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    }
    // The signal that ncurses counts on may have gone to another thread: the terminal itself knows.
    void follow_size() const {
        winsize size{};
        if (::ioctl(::fileno(out.get()), TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return;
        if (::is_term_resized(size.ws_row, size.ws_col)) ::resizeterm(size.ws_row, size.ws_col);
    }
};

Result<std::unique_ptr<Screen>> Screen::make(View view, const std::string& terminal) {
    const std::string name = terminal.empty() ? "the terminal" : escape(terminal);
    File in = open_terminal(terminal, STDIN_FILENO, O_RDONLY, "r");
    File out = in ? open_terminal(terminal, STDOUT_FILENO, O_WRONLY, "w") : nullptr;
    if (!in || !out) return Error::from_errno(Failure::failed, "cannot open " + name, errno, "use --plain");
    use_utf8();
    if (Result<void> fit = check_type(::fileno(out.get())); !fit) return fit.error();
    SCREEN* screen = ::newterm(nullptr, out.get(), in.get());
    if (screen == nullptr) return Error::of(Failure::failed, "cannot set up " + name, "use --plain");
    auto opened = std::make_unique<Terminal>(std::move(in), std::move(out), screen);
    return std::unique_ptr<Screen>(new Screen(std::move(view), std::move(opened)));
}

Screen::Screen(View view, std::unique_ptr<Terminal> terminal) : view_(std::move(view)), terminal_(std::move(terminal)) {
    ::set_escdelay(escape_delay_ms);
    ::cbreak();  // ^C stays a signal
    ::noecho();
    ::nonl();
    ::keypad(::stdscr, TRUE);
    ::nodelay(::stdscr, TRUE);
    ::typeahead(-1);  // a key in the queue must not cut a redraw short
    ::curs_set(0);
    draw();
}

Screen::~Screen() = default;

int Screen::fd() const { return ::fileno(terminal_->in.get()); }

Result<void> Screen::write(const model::Report& report) {
    if (report.scope == model::Scope::total) return {};
    latest_ = report;
    if (!state_.paused) shown_ = latest_;
    any_ = true;
    draw();
    return {};
}

void Screen::draw() {
    if (terminal_->gone()) {
        quit_ = true;
        return;
    }
    terminal_->follow_size();
    ::werase(::stdscr);
    const int height = ::getmaxy(::stdscr), width = ::getmaxx(::stdscr);
    if (any_ && height > 0 && width > 0) {
        const Frame frame =
            layout(shown_, view_, state_, static_cast<std::size_t>(width), static_cast<std::size_t>(height));
        page_ = frame.page;
        last_scroll_ = frame.last_scroll;
        for (int y = 0; y < static_cast<int>(frame.lines.size()); ++y) {
            const Line& line = frame.lines[static_cast<std::size_t>(y)];
            ::wattrset(::stdscr, static_cast<int>(attribute(line.ink)));
            // In the last cell ncurses reports an error for the cursor that has nowhere to go; the text is there.
            ::mvwaddstr(::stdscr, y, 0, line.text.c_str());
        }
        ::wattrset(::stdscr, A_NORMAL);
    } else {
        ::mvwaddstr(::stdscr, 0, 0, "mapaudit: waiting for the first interval   q quits");
    }
    ::wrefresh(::stdscr);
}

bool Screen::poll_keys() {
    bool redraw = false;
    for (int key = ::wgetch(::stdscr); key != ERR; key = ::wgetch(::stdscr)) redraw = handle(key) || redraw;
    quit_ = quit_ || terminal_->gone();
    if (redraw && !quit_) draw();
    return quit_;
}

void Screen::scroll_to(std::size_t row) { state_.scroll = std::min(row, last_scroll_); }

// Whether it changed what is shown.
bool Screen::handle(int key) {
    const std::size_t at = std::min(state_.scroll, last_scroll_);
    switch (key) {
        case 'q':
        case 'Q': quit_ = true; return false;
        case 's': view_.sort = next_sort_column(view_.sort); return true;
        case 'p':
        case ' ':
            state_.paused = !state_.paused;
            if (!state_.paused) shown_ = latest_;
            return true;
        case '?':
        case 'h': state_.help = !state_.help; return true;
        case KEY_DOWN: scroll_to(at + 1); return true;
        case KEY_UP: scroll_to(at - std::min<std::size_t>(at, 1)); return true;
        case KEY_NPAGE: scroll_to(at + page_); return true;
        case KEY_PPAGE: scroll_to(at - std::min(at, page_)); return true;
        case KEY_HOME: scroll_to(0); return true;
        case KEY_END: scroll_to(last_scroll_); return true;
        case KEY_RESIZE: return true;
        case '\f': ::clearok(::stdscr, TRUE); return true;  // ^L: something else wrote over the screen
        default: return false;
    }
}

}  // namespace mapaudit::output
