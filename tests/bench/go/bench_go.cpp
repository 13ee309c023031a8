// SPDX-License-Identifier: Apache-2.0
//
// bench_go BUILD_DIR [ROUNDS [SECONDS]]: what the audit of a Go server costs it, at each level. nats-server, as Debian
// packages it, delivers messages as fast as it can; windows with an auditor and without take turns within a round, and
// it is CPU time a message that is compared, within the round. Refuses to print a figure of a window in which the
// probes did not fire, or a message was lost.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "machine.hpp"
#include "processes.hpp"
#include "support/child.hpp"
#include "support/nats_server.hpp"

namespace mapaudit::bench {
namespace {

constexpr int subjects = 997, messages = 20;  // of each subject, in one go

struct Variant {
    const char* name;
    std::optional<std::vector<std::string>> options;  // nothing: no auditor
    std::optional<double> goal_percent;               // of CPU time, at most
};

const std::vector<Variant> variants = {
    {"unattached", {}, {}},
    {"--level events", std::vector<std::string>{"--level", "events"}, 5},
    {"--level auto", std::vector<std::string>{}, 5},
    {"--level sampled", std::vector<std::string>{"--level", "sampled"}, 5},
    {"--races", std::vector<std::string>{"--races"}, {}},  // its long first look is in it
    {"--level full", std::vector<std::string>{"--level", "full"}, {}},
};

struct Window {
    double cpu_us = 0;  // of the server's, a message
    double messages_per_s = 0;
    std::uint64_t fired = 0;
    double estimated_percent = 0;
};

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error(why); }

double number_after(const std::string& text, const std::string& pattern) {
    std::smatch match;
    if (!std::regex_search(text, match, std::regex(pattern))) fail("no " + pattern + " in:\n" + text);
    return std::stod(match[1]);
}

// Delivers messages for so long. A connection comes and goes with each batch: its maps grow.
Window load(const test::NatsServer& server, double seconds) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    const std::uint64_t cpu_before = process_cpu_ns(server.pid());
    std::uint64_t delivered = 0;
    double took_s = 0;
    do {
        test::TcpClient to = test::subscriber(server, subjects), from = server.connect();
        if (!test::messages_arrive(from, to, subjects, messages)) fail("messages were lost");
        delivered += std::uint64_t{subjects} * messages;
        took_s = std::chrono::duration<double>(clock::now() - start).count();
    } while (took_s < seconds);
    Window window;
    window.cpu_us =
        static_cast<double>(process_cpu_ns(server.pid()) - cpu_before) / 1e3 / static_cast<double>(delivered);
    window.messages_per_s = static_cast<double>(delivered) / took_s;
    return window;
}

Window measure(const std::string& auditor, const test::NatsServer& server, const Variant& variant, double seconds) {
    if (!variant.options) return load(server, seconds);
    std::vector<std::string> command{auditor, "attach", "--plain", "-p", std::to_string(server.pid()), "-v"};
    command.insert(command.end(), variant.options->begin(), variant.options->end());
    test::Child child(command);
    if (!child.wait_for("calibrated what auditing costs")) fail(std::string(variant.name) + ": " + child.err());
    Window window = load(server, seconds);
    child.send(SIGINT);
    const test::Finished finished = child.finish();
    if (finished.exit_code != 0) fail(std::string(variant.name) + ": " + finished.err);
    window.fired = static_cast<std::uint64_t>(number_after(finished.said(), "Ledger: ([0-9]+) fired"));
    if (window.fired == 0) fail(std::string(variant.name) + ": its probes did not fire");
    window.estimated_percent = number_after(finished.said(), "slowed down: about ([0-9.]+) %");
    return window;
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

struct Figures {
    std::vector<double> cpu_us, messages_per_s, over_percent, speed, estimated;
    std::uint64_t fired = 0;
};

void print(const std::vector<Figures>& all, int rounds, double seconds, std::ofstream& csv) {
    fmt::print("machine: {}\nnats-server, {} rounds of {} s; medians, and the spread over rounds\n\n",
               describe_machine(), rounds, seconds);
    fmt::print("{:<26}{:>12}{:>14}{:>16}{:>20}{:>10}{:>12}{:>12}\n", "variant", "us/message", "messages/s",
               "CPU time more", "least .. most", "speed", "estimated", "fired");
    csv << "variant,cpu_us_per_message,messages_per_s,cpu_more_percent,least,most,speed,estimated_percent,fired\n";
    for (std::size_t i = 0; i < variants.size(); ++i) {
        const Figures& f = all[i];
        const auto [least, most] = std::minmax_element(f.over_percent.begin(), f.over_percent.end());
        fmt::print("{:<26}{:>12.3f}{:>14.0f}{:>14.1f} %{:>20}{:>10.2f}{:>10.1f} %{:>12}\n", variants[i].name,
                   median(f.cpu_us), median(f.messages_per_s), median(f.over_percent),
                   fmt::format("{:.1f} .. {:.1f}", *least, *most), median(f.speed), median(f.estimated), f.fired);
        csv << fmt::format("{},{:.4f},{:.0f},{:.2f},{:.2f},{:.2f},{:.3f},{:.2f},{}\n", variants[i].name,
                           median(f.cpu_us), median(f.messages_per_s), median(f.over_percent), *least, *most,
                           median(f.speed), median(f.estimated), f.fired);
    }
    fmt::print("\ngoals, of the CPU time then used\n");
    for (std::size_t i = 0; i < variants.size(); ++i) {
        if (!variants[i].goal_percent) continue;
        const double more = median(all[i].over_percent), share = 100 * more / (100 + more);
        fmt::print("  {:<7}{}: {:.1f} % (goal: at most {} %)\n", share <= *variants[i].goal_percent ? "met" : "MISSED",
                   variants[i].name, share, *variants[i].goal_percent);
    }
}

int run(const std::string& build, int rounds, double seconds) {
    const std::string auditor = build + "/userspace/mapaudit", program = build + "/go-samples/go1.19";
    if (::geteuid() != 0) fail("attaching needs root: sudo make bench-go");
    if (::access(program.c_str(), X_OK) != 0) fail("no nats-server: scripts/go_samples.sh " + build + "/go-samples");
    std::vector<Figures> all(variants.size());
    for (int round = 0; round < rounds; ++round) {
        test::NatsServer server(program);  // new each round: where memory happens to lie is part of the spread
        (void)load(server, 1);
        std::vector<Window> windows;
        for (std::size_t i = 0; i < variants.size(); ++i) {
            std::cerr << "bench: " << variants[i].name << ", round " << round + 1 << " of " << rounds << std::endl;
            windows.push_back(measure(auditor, server, variants[i], seconds));
        }
        const Window after = measure(auditor, server, variants[0], seconds);
        const double bare = (windows[0].cpu_us + after.cpu_us) / 2;
        const double speed = (windows[0].messages_per_s + after.messages_per_s) / 2;
        for (std::size_t i = 0; i < variants.size(); ++i) {
            all[i].cpu_us.push_back(windows[i].cpu_us);
            all[i].messages_per_s.push_back(windows[i].messages_per_s);
            all[i].over_percent.push_back(100 * (windows[i].cpu_us / bare - 1));
            all[i].speed.push_back(windows[i].messages_per_s / speed);
            all[i].estimated.push_back(windows[i].estimated_percent);
            all[i].fired += windows[i].fired;
        }
    }
    std::ofstream csv(build + "/bench-go.csv");
    print(all, rounds, seconds, csv);
    csv.flush();
    if (!csv) fail("cannot write " + build + "/bench-go.csv");
    fmt::print("\nwritten to {}/bench-go.csv\n", build);
    return 0;
}

}  // namespace
}  // namespace mapaudit::bench

int main(int argc, char** argv) {
    if (argc < 2 || argc > 4) {
        std::cerr << "usage: bench_go BUILD_DIR [ROUNDS [SECONDS]]\n";
        return 2;
    }
    try {
        return mapaudit::bench::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 5, argc > 3 ? std::atof(argv[3]) : 8);
    } catch (const std::exception& error) {
        std::cerr << "bench: " << error.what() << '\n';
        return 1;
    }
}
