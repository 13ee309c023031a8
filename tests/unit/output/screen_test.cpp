// SPDX-License-Identifier: Apache-2.0
//
// The live screen on a pseudo-terminal: what arrives at its other end, and whether the terminal is as it was after.
#include "output/screen.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int patience_ms = 10'000;

// The terminal's other end. A thread reads all that is drawn, since a full pseudo-terminal would block the screen.
class PseudoTerminal {
public:
    PseudoTerminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        EXPECT_EQ(::grantpt(master_), 0);
        EXPECT_EQ(::unlockpt(master_), 0);
        path_ = ::ptsname(master_);
        slave_ = ::open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);  // kept, or the end would hang up in between
        EXPECT_EQ(::pipe2(stop_, O_CLOEXEC), 0);
        resize(120, 30);
        reader_ = std::thread([this] { read_all(); });
    }
    PseudoTerminal(const PseudoTerminal&) = delete;
    PseudoTerminal& operator=(const PseudoTerminal&) = delete;
    ~PseudoTerminal() {
        hang_up();
        ::close(stop_[0]);
        ::close(slave_);
    }

    const std::string& path() const { return path_; }
    void resize(unsigned short columns, unsigned short lines) const {
        const winsize size{lines, columns, 0, 0};
        EXPECT_EQ(::ioctl(slave_, TIOCSWINSZ, &size), 0);
    }
    termios settings() const {
        termios now{};
        EXPECT_EQ(::tcgetattr(slave_, &now), 0);
        return now;
    }
    void type(const std::string& keys) const {
        EXPECT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
    }
    // What was drawn since the last forget().
    std::string drawn() {
        const std::lock_guard lock(mutex_);
        return drawn_;
    }
    // Waits until `part` was drawn since the last forget(); empty on success.
    std::string missing(const std::string& part) {
        std::unique_lock lock(mutex_);
        const bool came = more_.wait_for(lock, std::chrono::milliseconds(patience_ms),
                                         [&] { return drawn_.find(part) != std::string::npos; });
        return came ? std::string() : "\"" + part + "\" is not in: " + drawn_;
    }
    void forget() {
        const std::lock_guard lock(mutex_);
        drawn_.clear();
    }
    void hang_up() {
        if (!reader_.joinable()) return;
        ::close(stop_[1]);
        reader_.join();
        ::close(master_);
    }

private:
    void read_all() {
        pollfd ready[2] = {{master_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
        while (::poll(ready, 2, -1) >= 0 && ready[1].revents == 0) {
            char buffer[4096];
            const ssize_t n = ::read(master_, buffer, sizeof buffer);
            if (n <= 0) break;
            const std::lock_guard lock(mutex_);
            drawn_.append(buffer, static_cast<std::size_t>(n));
            more_.notify_all();
        }
    }

    int master_, slave_ = -1;
    int stop_[2] = {-1, -1};
    std::string path_, drawn_;
    std::mutex mutex_;
    std::condition_variable more_;
    std::thread reader_;
};

// A terminal type, and no LINES or COLUMNS that would overrule the terminal's own size.
class ScreenTest : public testing::Test {
protected:
    void SetUp() override {
        ::setenv("TERM", "xterm", 1);
        ::unsetenv("LINES");
        ::unsetenv("COLUMNS");
        before_ = terminal_.settings();
    }
    std::unique_ptr<Screen> make() {
        auto made = Screen::make({}, terminal_.path());
        if (!made) throw std::runtime_error(made.error().line());
        return *std::move(made);
    }
    // Lets the screen handle `keys` until it has drawn `part`, or asked to quit if that is empty. ncurses draws only
    // what changed: ^L makes it draw all.
    testing::AssertionResult press(Screen& screen, const std::string& keys, const std::string& part) {
        terminal_.forget();
        terminal_.type(keys + "\f");
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
        while (std::chrono::steady_clock::now() < deadline) {
            pollfd ready{screen.fd(), POLLIN, 0};
            ::poll(&ready, 1, 10);
            const bool quit = screen.poll_keys();
            if (quit != part.empty()) continue;
            if (terminal_.drawn().find(part) != std::string::npos) return testing::AssertionSuccess();
        }
        return testing::AssertionFailure() << '"' << part << "\" is not in: " << terminal_.drawn();
    }
    void expect_restored() {
        const termios after = terminal_.settings();
        EXPECT_EQ(after.c_lflag, before_.c_lflag);
        EXPECT_EQ(after.c_iflag, before_.c_iflag);
        EXPECT_EQ(after.c_oflag, before_.c_oflag);
        EXPECT_EQ(std::memcmp(after.c_cc, before_.c_cc, sizeof after.c_cc), 0);
        EXPECT_EQ(terminal_.missing("\x1b[?1049l"), "");  // out of the alternate screen
    }

    PseudoTerminal terminal_;
    termios before_{};
};

model::Report many_rows() {
    model::Report report = sample_report();
    report.rows.clear();
    for (std::uint32_t i = 0; i < 100; ++i)
        report.rows.push_back(sample_row(i + 1, "map" + std::to_string(i), model::Op::lookup, 1000 - i));
    return report;
}

TEST_F(ScreenTest, draws_and_gives_the_terminal_back) {
    {
        const auto screen = make();
        EXPECT_EQ(terminal_.missing("\x1b[?1049h"), "");
        EXPECT_EQ(terminal_.settings().c_lflag & (ICANON | ECHO), 0u);
        EXPECT_NE(terminal_.settings().c_lflag & ISIG, 0u);  // ^C is still a signal
        EXPECT_TRUE(screen->write(sample_report()));
        for (const char* part : {"work\\x1b[2Jer", "users(go_map)", "12.3µs",
                                 "1000003 fired = 1000000 handled + 3 lost", "mapaudit itself: 1.2 % of a core"})
            EXPECT_EQ(terminal_.missing(part), "");
        EXPECT_FALSE(screen->poll_keys());
    }
    expect_restored();
}

TEST_F(ScreenTest, gives_the_terminal_back_when_an_exception_passes) {
    EXPECT_THROW(
        {
            const auto screen = make();
            EXPECT_TRUE(screen->write(sample_report()));
            throw std::runtime_error("something else failed");
        },
        std::runtime_error);
    expect_restored();
}

TEST_F(ScreenTest, keys_do_what_the_help_says) {
    const auto screen = make();
    ASSERT_TRUE(screen->write(many_rows()));
    EXPECT_EQ(terminal_.missing("rows 1-25 of 100"), "");
    EXPECT_TRUE(press(*screen, "?", "q quit"));
    EXPECT_TRUE(press(*screen, "?", "? help"));
    EXPECT_TRUE(press(*screen, "\x1bOF", "rows 76-100 of 100"));  // End
    EXPECT_TRUE(press(*screen, "\x1bOA", "rows 75-99 of 100"));   // up
    EXPECT_TRUE(press(*screen, "\x1bOH", "rows 1-25 of 100"));    // Home
    EXPECT_TRUE(press(*screen, "\x1bOA", "rows 1-25 of 100"));
    EXPECT_TRUE(press(*screen, "\x1b[6~", "rows 26-50 of 100"));  // PgDn
    EXPECT_TRUE(press(*screen, "\x1bOB", "rows 27-51 of 100"));   // down
    EXPECT_TRUE(press(*screen, "\x1b[5~", "rows 2-26 of 100"));   // PgUp
    EXPECT_TRUE(press(*screen, "s", "by calls"));
    EXPECT_TRUE(press(*screen, "x", "by calls"));
    EXPECT_TRUE(press(*screen, "q", ""));
    EXPECT_TRUE(screen->poll_keys());
}

TEST_F(ScreenTest, a_pause_freezes_what_is_shown) {
    const auto screen = make();
    model::Report report = sample_report();
    ASSERT_TRUE(screen->write(report));
    EXPECT_TRUE(press(*screen, "p", "PAUSED"));
    test::rename(report.rows[1], "newcomer");
    ASSERT_TRUE(screen->write(report));
    EXPECT_TRUE(press(*screen, "?", "q quit"));  // the last line of the screen
    EXPECT_THAT(terminal_.drawn(), HasSubstr("users(go_map)"));
    EXPECT_THAT(terminal_.drawn(), Not(HasSubstr("newcomer")));
    EXPECT_TRUE(press(*screen, "p", "newcomer"));
}

TEST_F(ScreenTest, follows_the_size_of_its_terminal) {
    const auto screen = make();
    ASSERT_TRUE(screen->write(many_rows()));
    EXPECT_EQ(terminal_.missing("rows 1-25 of 100"), "");
    for (const auto& [columns, lines, shown] :
         {std::tuple{120, 15, "rows 1-10 of 100"}, std::tuple{200, 55, "rows 1-50 of 100"}}) {
        terminal_.forget();
        terminal_.resize(static_cast<unsigned short>(columns), static_cast<unsigned short>(lines));
        ASSERT_TRUE(screen->write(many_rows()));
        EXPECT_EQ(terminal_.missing(shown), "");
    }
    for (const auto& [columns, lines] : {std::pair{1, 1}, std::pair{3, 2}, std::pair{20, 5}, std::pair{500, 3}}) {
        terminal_.resize(static_cast<unsigned short>(columns), static_cast<unsigned short>(lines));
        ASSERT_TRUE(screen->write(many_rows()));
    }
}

TEST_F(ScreenTest, totals_are_left_to_the_summary) {
    const auto screen = make();
    model::Report total = sample_report(model::Scope::total);
    test::rename(total.rows[1], "only_in_total");
    ASSERT_TRUE(screen->write(total));
    ASSERT_TRUE(screen->write(sample_report()));
    EXPECT_EQ(terminal_.missing("users(go_map)"), "");
    EXPECT_THAT(terminal_.drawn(), Not(HasSubstr("only_in_total")));
}

TEST_F(ScreenTest, a_terminal_that_hangs_up_is_a_wish_to_quit) {
    const auto screen = make();
    ASSERT_TRUE(screen->write(sample_report()));
    terminal_.hang_up();
    ASSERT_TRUE(screen->write(sample_report()));
    EXPECT_TRUE(screen->poll_keys());
}

TEST_F(ScreenTest, what_is_no_fit_terminal_is_an_error) {
    ::setenv("TERM", "no-such-terminal", 1);
    const auto unknown = Screen::make({}, terminal_.path());
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().line(), HasSubstr("\"no-such-terminal\" (TERM) is not known here"));
    ::setenv("TERM", "dumb", 1);
    const auto dumb = Screen::make({}, terminal_.path());
    ASSERT_FALSE(dumb);
    EXPECT_THAT(dumb.error().line(), HasSubstr("--plain"));
    ::setenv("TERM", "xterm", 1);
    const auto missing = Screen::make({}, "/no/such/terminal");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().line(), HasSubstr("/no/such/terminal: No such file or directory"));
    ::unsetenv("TERM");
    EXPECT_FALSE(Screen::make({}, terminal_.path()));
    const termios after = terminal_.settings();
    EXPECT_EQ(after.c_lflag, before_.c_lflag);
}

}  // namespace
}  // namespace mapaudit::output
