// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdarg>
#include <cstdio>

#include "cli/commands.hpp"

namespace mapaudit::cli {
namespace {

// libbpf's own words, the verifier's log among them, are for -v (its debugging for -vv); the one-line cause is ours.
int log_libbpf(libbpf_print_level libbpf_level, const char* format, va_list arguments) {
    const auto level = libbpf_level == LIBBPF_DEBUG ? spdlog::level::trace : spdlog::level::debug;
    if (!spdlog::should_log(level)) return 0;
    char line[2048];
    const int length = std::vsnprintf(line, sizeof line, format, arguments);
    std::string_view text(line,
                          length < 0 ? 0 : std::min<std::size_t>(static_cast<std::size_t>(length), sizeof line - 1));
    while (text.ends_with('\n')) text.remove_suffix(1);
    spdlog::log(level, "{}", text);
    return 0;
}

}  // namespace

void set_verbosity(int verbose, int quiet) {
    auto logger = spdlog::stderr_color_st("mapaudit");
    logger->set_pattern("mapaudit: %v");
    logger->set_level(quiet > 0     ? spdlog::level::warn
                      : verbose > 1 ? spdlog::level::trace
                      : verbose > 0 ? spdlog::level::debug
                                    : spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
    libbpf_set_print(log_libbpf);
}

}  // namespace mapaudit::cli
