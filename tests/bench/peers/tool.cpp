// SPDX-License-Identifier: Apache-2.0
#include <regex>
#include <sstream>

#include "peers/peers.hpp"

namespace mapaudit::bench {

std::string complaint(const std::string& text) {
    static const std::regex trouble("error|fail|cannot|could not", std::regex::icase);
    std::istringstream lines(text);
    std::string last;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t start = line.find_first_not_of(" \t\r");
        if (start == std::string::npos) continue;
        last = line.substr(start);
        if (std::regex_search(last, trouble)) break;
    }
    return last;
}

std::string output_of(const std::vector<std::string>& command) {
    const test::Finished ended = test::run(command);
    if (ended.exit_code == 0 && !ended.timed_out) return ended.out;
    throw BenchError(command.front() + (ended.timed_out ? " took too long: " : ": ") +
                     complaint(ended.err.empty() ? ended.out : ended.err));
}

}  // namespace mapaudit::bench
