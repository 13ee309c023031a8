// SPDX-License-Identifier: Apache-2.0
#include "peers/uprobe_events.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <regex>

#include "peers/peers.hpp"

namespace mapaudit::bench {
namespace {

constexpr const char* definitions = "/sys/kernel/tracing/uprobe_events";
constexpr const char* group_prefix = "mapaudit_bench_";

// One definition, or removal, a write; 0 or an errno.
int write_definition(const std::string& text) {
    const int fd = ::open(definitions, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0) return errno;
    const std::string line = text + '\n';
    const int error = ::write(fd, line.data(), line.size()) < 0 ? errno : 0;
    ::close(fd);
    return error;
}

void remove_definition(const std::string& group, const std::string& name) {
    write_definition("-:" + group + "/" + name);
}

void remove_what_the_dead_left() {
    const std::regex pattern(std::string("p:(") + group_prefix + "(\\d+))/(\\w+) .*");
    std::vector<std::pair<std::string, std::string>> left;
    std::ifstream file(definitions);
    std::smatch match;
    for (std::string line; std::getline(file, line);)
        if (std::regex_match(line, match, pattern) && ::kill(std::stoi(match[2]), 0) != 0 && errno == ESRCH)
            left.emplace_back(match[1], match[3]);
    for (const auto& [group, name] : left) remove_definition(group, name);
}

// What perf makes of the probe's note.
std::string definition_of(const std::string& build_ids, const std::string& group, const std::string& op) {
    const std::string out =
        output_of({"perf", "--buildid-dir", build_ids, "probe", "--definition", "%sdt_mapaudit:" + op});
    std::smatch match;
    if (!std::regex_search(out, match, std::regex("p:\\w+/\\w+( [^\\n]+)")))
        throw BenchError("perf probe --definition gave none: " + complaint(out));
    return "p:" + group + "/" + op + match[1].str();
}

}  // namespace

UprobeEvents::UprobeEvents(const std::string& binary, const std::filesystem::path& scratch, bool assigns) {
    const std::string build_ids = scratch / "build-ids", group = group_prefix + std::to_string(::getpid());
    remove_what_the_dead_left();
    output_of({"perf", "--buildid-dir", build_ids, "buildid-cache", "--add", binary});
    std::vector<std::string> ops{"lookup"};
    if (assigns) ops.emplace_back("assign");
    std::vector<std::string> lines;  // all of them before the first is written: perf may fail, and throw
    for (const std::string& op : ops) lines.push_back(definition_of(build_ids, group, op));
    for (std::size_t i = 0; i < ops.size(); ++i) {
        if (const int error = write_definition(lines[i]); error != 0) {
            remove_all();
            throw BenchError(std::string("perf's probe cannot be defined in ") + definitions + ": " +
                             std::strerror(error));
        }
        names_.push_back(group + ":" + ops[i]);
    }
}

UprobeEvents::~UprobeEvents() { remove_all(); }

void UprobeEvents::remove_all() {
    for (const std::string& name : names_) {
        const auto colon = name.find(':');
        remove_definition(name.substr(0, colon), name.substr(colon + 1));
    }
    names_.clear();
}

}  // namespace mapaudit::bench
