// SPDX-License-Identifier: Apache-2.0
#include "instructions.hpp"

#include <cstdint>
#include <regex>

#include "subject.hpp"
#include "support/child.hpp"

namespace mapaudit::bench {
namespace {

constexpr std::uint64_t few = 65'536, many = 3 * 65'536;  // whole rounds of the measured process's steps

std::uint64_t instructions(const std::string& measured, const std::string& map, const std::string& mix,
                           std::uint64_t ops) {
    const test::Finished ended = test::run(
        {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", measured, map, mix, std::to_string(ops)});
    std::smatch match;
    if (ended.exit_code != 0 || !std::regex_search(ended.err, match, std::regex("Collected : (\\d+)")))
        throw BenchError("valgrind failed: " + ended.err);
    return std::stoull(match[1]);
}

}  // namespace

double instructions_per_op(const std::string& measured, const std::string& map, const std::string& mix) {
    const std::uint64_t short_run = instructions(measured, map, mix, few);
    const std::uint64_t long_run = instructions(measured, map, mix, many);
    return static_cast<double>(long_run - short_run) / static_cast<double>(many - few);
}

}  // namespace mapaudit::bench
