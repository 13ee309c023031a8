// SPDX-License-Identifier: Apache-2.0
#include "sources/host/uprobe_scaling.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <thread>
#include <vector>

#include "sources/host/capability_tries.hpp"
#include "util/unique_fd.hpp"

// A site such as the library's probes have: a nop that the kernel need not single-step, in a function of its own.
#if defined(__x86_64__)
#define NOP ".byte 0x0f,0x1f,0x44,0x00,0x00\n"
#else
#define NOP "nop\n"
#endif
asm(".pushsection .text\n.balign 16\n"
    ".globl mapaudit_scaling_site\n.hidden mapaudit_scaling_site\n.type mapaudit_scaling_site, %function\n"
    "mapaudit_scaling_site:\n" NOP
    "ret\n"
    ".size mapaudit_scaling_site, . - mapaudit_scaling_site\n.popsection\n");
#undef NOP
extern "C" [[gnu::visibility("hidden")]] void mapaudit_scaling_site();

namespace mapaudit::sources {
namespace {

using steady_clock = std::chrono::steady_clock;

constexpr auto round_length = std::chrono::milliseconds(8);
constexpr unsigned rounds_tried = 5;
constexpr int limit_ms = 2000;

double thread_cpu_s() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Hits for `round` by the clock on the wall, so that all of a company hit at once; returns hits a second of CPU time.
double hits_per_s(void (*hit)(), std::chrono::milliseconds round) {
    const auto end = steady_clock::now() + round;
    const double start = thread_cpu_s();
    std::uint64_t hits = 0;
    while (steady_clock::now() < end) {
        constexpr unsigned between_looks = 64;
        for (unsigned i = 0; i < between_looks; ++i) hit();
        hits += between_looks;
    }
    return static_cast<double>(hits) / std::max(thread_cpu_s() - start, 1e-9);
}

void pin(unsigned number, const cpu_set_t& allowed) {
    unsigned skip = number % std::max(static_cast<unsigned>(CPU_COUNT(&allowed)), 1u);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        (void)::sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// What the child writes, whole.
struct Outcome {
    UprobeScaling scaling;
    Failure failure = Failure::failed;
    bool good = false;
    char what[300] = {}, remedy[300] = {};
};
static_assert(sizeof(Outcome) <= 4096, "a pipe takes it in one piece");

Result<UprobeScaling> measure(unsigned most) {
    const auto link = attach_nothing(reinterpret_cast<std::uintptr_t>(&mapaudit_scaling_site));
    if (!link) return link.error();
    return measure_scaling(mapaudit_scaling_site, scaling_threads(most), rounds_tried, round_length);
}

[[noreturn]] void run_child(int results, pid_t parent, unsigned most) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    Outcome outcome;
    if (const auto scaling = measure(most)) {
        outcome.scaling = *scaling;
        outcome.good = true;
    } else {
        outcome.failure = scaling.error().kind;
        scaling.error().what.copy(outcome.what, sizeof outcome.what - 1);
        scaling.error().remedy.copy(outcome.remedy, sizeof outcome.remedy - 1);
    }
    (void)!::write(results, &outcome, sizeof outcome);
    ::_exit(0);
}

}  // namespace

unsigned scaling_threads(unsigned most) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    (void)::sched_getaffinity(0, sizeof allowed, &allowed);
    return std::clamp(static_cast<unsigned>(CPU_COUNT(&allowed)), 2u, std::max(most, 2u));
}

UprobeScaling measure_scaling(void (*hit)(), unsigned threads, unsigned rounds, std::chrono::milliseconds round) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    (void)::sched_getaffinity(0, sizeof allowed, &allowed);
    std::vector<double> alone, together;
    std::vector<double> rates(threads);
    std::barrier gate(static_cast<std::ptrdiff_t>(threads));
    const auto work = [&](unsigned number) {
        pin(number, allowed);
        (void)hits_per_s(hit, std::chrono::milliseconds(1));  // the kernel rewrites the site at its first hits
        for (unsigned i = 0; i < rounds; ++i) {
            gate.arrive_and_wait();
            if (number == 0) alone.push_back(hits_per_s(hit, round));
            gate.arrive_and_wait();
            rates[number] = hits_per_s(hit, round);
            gate.arrive_and_wait();
            if (number == 0) together.push_back(median(rates));
        }
    };
    {
        std::vector<std::jthread> all;
        for (unsigned number = 0; number < threads; ++number) all.emplace_back(work, number);
    }
    return {threads, median(alone), median(together)};
}

Result<UprobeScaling> try_uprobe_scaling(unsigned most) {
    const std::string what = "cannot try whether probes scale";
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno(Failure::failed, what, errno);
    UniqueFd results(ends[0]), child_end(ends[1]);
    const pid_t parent = ::getpid(), child = ::fork();
    if (child < 0) return Error::from_errno(Failure::failed, what, errno);
    if (child == 0) run_child(child_end.get(), parent, most);
    child_end.reset();
    pollfd waited{results.get(), POLLIN, 0};
    Outcome outcome;
    const bool told = ::poll(&waited, 1, limit_ms) > 0 &&
                      ::read(results.get(), &outcome, sizeof outcome) == static_cast<ssize_t>(sizeof outcome);
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (!told) return Error::of(Failure::failed, what + ": it took too long, or its process ended early");
    if (!outcome.good) return Error::of(outcome.failure, outcome.what, outcome.remedy);
    return outcome.scaling;
}

}  // namespace mapaudit::sources
