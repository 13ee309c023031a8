// SPDX-License-Identifier: Apache-2.0
#include "tool_output.hpp"

#include <regex>
#include <sstream>

namespace mapaudit::bench {
namespace {

std::optional<std::uint64_t> first_number(const std::string& text, const std::regex& pattern) {
    std::smatch match;
    if (!std::regex_search(text, match, pattern)) return {};
    return std::stoull(match[1]);
}

// Over every line that the pattern matches whole; its first group is the number.
std::optional<std::uint64_t> sum_of_lines(const std::string& text, const std::regex& pattern) {
    std::optional<std::uint64_t> sum;
    std::istringstream lines(text);
    std::smatch match;
    for (std::string line; std::getline(lines, line);)
        if (std::regex_match(line, match, pattern)) sum = sum.value_or(0) + std::stoull(match[1]);
    return sum;
}

}  // namespace

std::optional<std::uint64_t> bpftrace_count(const std::string& out) {
    return first_number(out, std::regex("@count: (\\d+)"));
}

std::optional<std::uint64_t> funclatency_calls(const std::string& out) {
    return sum_of_lines(out, std::regex(" *\\d+ -> \\d+ *: (\\d+) *\\|.*"));
}

std::optional<PerfCounts> perf_counts(const std::string& out) {
    // First come the sums over the file, with percentages, where LOST counts records, not what they tell of; then each
    // event of its own, without.
    const auto samples = sum_of_lines(out, std::regex(" *SAMPLE events: *(\\d+)"));
    const auto lost = sum_of_lines(out, std::regex(" *LOST_SAMPLES events: *(\\d+)"));
    const auto lost_records = sum_of_lines(out, std::regex(" *LOST events: *(\\d+).*"));
    if (!samples || (lost_records && !lost)) return {};
    return PerfCounts{*samples, lost.value_or(0)};
}

std::optional<std::uint64_t> lttng_discarded(const std::string& xml) {
    const std::regex element("<discarded_events>(\\d+)</discarded_events>");
    std::optional<std::uint64_t> sum;
    for (std::sregex_iterator match(xml.begin(), xml.end(), element), end; match != end; ++match)
        sum = sum.value_or(0) + std::stoull((*match)[1]);
    return sum;
}

std::optional<std::uint64_t> babeltrace_events(const std::string& out) {
    std::optional<std::uint64_t> last;
    std::istringstream lines(out);
    std::smatch match;
    const std::regex pattern(" *(\\d+) Event messages?");
    for (std::string line; std::getline(lines, line);)
        if (std::regex_match(line, match, pattern)) last = std::stoull(match[1]);
    return last;
}

std::optional<std::uint64_t> uftrace_calls(const std::string& out, const std::string& prefix) {
    // Total time and unit, self time and unit, calls, function.
    return sum_of_lines(out, std::regex(" *[\\d.]+ +\\S+ +[\\d.]+ +\\S+ +(\\d+) +" + prefix + ".*"));
}

std::uint64_t uftrace_lost(const std::string& out) {
    return first_number(out, std::regex("LOST (\\d+) records")).value_or(0);
}

}  // namespace mapaudit::bench
