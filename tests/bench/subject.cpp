// SPDX-License-Identifier: Apache-2.0
#include "subject.hpp"

#include <algorithm>
#include <chrono>
#include <sstream>

namespace mapaudit::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto patience = std::chrono::seconds(20);  // perf-event uprobes may take 5 s to detach
constexpr auto quiet = std::chrono::milliseconds(50);

std::vector<std::string> with(std::vector<std::string> words, std::initializer_list<std::string> more) {
    words.insert(words.end(), more);
    return words;
}

}  // namespace

Subject::Subject(const std::string& binary, const std::string& map, const std::string& mix)
    : Subject({}, binary, map, mix) {}

Subject::Subject(std::vector<std::string> starter, const std::string& binary, const std::string& map,
                 const std::string& mix)
    : child_(with(std::move(starter), {binary, map, mix}), test::Child::Input::pipe) {}

std::string Subject::ask(const std::string& command) {
    if (child_.write_line(command))
        if (auto answer = child_.read_line()) return *answer;
    throw BenchError("the measured process died at \"" + command + "\": " + child_.err());
}

Window Subject::measure(unsigned ms) {
    std::istringstream words(ask("measure " + std::to_string(ms)));
    Window window{};
    if (!(words >> window.ns_per_op >> window.ops)) throw BenchError("the measured process gave no figure");
    return window;
}

double Subject::clock_pair_ns() { return std::stod(ask("clock")); }

std::vector<unsigned> Subject::semaphores() {
    std::istringstream words(ask("armed"));
    std::vector<unsigned> values;
    for (unsigned value; words >> value;) values.push_back(value);
    return values;
}

void Subject::await_attached() {
    const auto deadline = Clock::now() + patience;
    std::vector<unsigned> seen;
    auto changed = Clock::now();
    for (;;) {
        const auto now = Clock::now();
        auto current = semaphores();
        if (current != seen) {
            seen = std::move(current);
            changed = now;
        } else if (std::ranges::any_of(seen, [](unsigned n) { return n != 0; }) && now - changed >= quiet) {
            return;
        }
        if (now >= deadline) throw BenchError("no probe's semaphore rose: nothing was attached");
    }
}

void Subject::await_detached() {
    const auto deadline = Clock::now() + patience;
    while (std::ranges::any_of(semaphores(), [](unsigned n) { return n != 0; }))
        if (Clock::now() >= deadline) throw BenchError("a semaphore stayed up after the tracer's end");
}

test::Finished Subject::end() {
    child_.end_input();
    return child_.finish();
}

}  // namespace mapaudit::bench
