// SPDX-License-Identifier: Apache-2.0
#include "processes.hpp"

#include <time.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace mapaudit::bench {
namespace {

struct Status {
    pid_t parent;
    std::uint64_t ended_children_ns;  // CPU time of those it has waited for
};

std::optional<Status> status_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = text.rfind(')');  // the name before it may hold spaces and parentheses
    if (name_end == std::string::npos) return {};
    std::istringstream words(text.substr(name_end + 1));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
    constexpr std::size_t parent = 1, cutime = 13, cstime = 14;  // proc(5), less the two before and at the name
    if (fields.size() <= cstime) return {};
    const auto tick_ns = 1'000'000'000u / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return Status{std::stoi(fields[parent]), (std::stoull(fields[cutime]) + std::stoull(fields[cstime])) * tick_ns};
}

struct Process {
    pid_t pid;
    std::uint64_t ended_children_ns;
};

std::multimap<pid_t, Process> processes_by_parent() {
    std::multimap<pid_t, Process> processes;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc() || end != name.data() + name.size()) continue;
        if (const auto status = status_of(pid))
            processes.emplace(status->parent, Process{pid, status->ended_children_ns});
    }
    return processes;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> pids;
    const auto processes = processes_by_parent();
    const auto [first, last] = processes.equal_range(parent);
    for (auto child = first; child != last; ++child) pids.push_back(child->second.pid);
    return pids;
}

std::uint64_t process_cpu_ns(pid_t pid) {
    clockid_t clock;
    timespec now{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &now) != 0) return 0;
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t tree_cpu_ns(pid_t root) {
    const auto processes = processes_by_parent();
    const auto status = status_of(root);
    std::uint64_t sum = 0;
    std::vector<Process> todo{{root, status ? status->ended_children_ns : 0}};
    while (!todo.empty()) {
        const Process process = todo.back();
        todo.pop_back();
        sum += process_cpu_ns(process.pid) + process.ended_children_ns;
        const auto [first, last] = processes.equal_range(process.pid);
        for (auto child = first; child != last; ++child) todo.push_back(child->second);
    }
    return sum;
}

}  // namespace mapaudit::bench
