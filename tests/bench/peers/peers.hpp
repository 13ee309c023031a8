// SPDX-License-Identifier: Apache-2.0
//
// Other people's tracers, each on the nearest job to the auditor's that it can do. All throw BenchError with the tool's
// own words when the tool cannot do it here.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tracer.hpp"

namespace mapaudit::bench {

// libbpf-tools' funclatency: a histogram of the time in each of the functions, one process of it a function.
std::unique_ptr<Tracer> make_funclatency(std::vector<std::string> functions);

// `perf record`: each hit of the per-operation probes with its arguments, in a file.
std::unique_ptr<Tracer> make_perf(const std::string& binary, std::filesystem::path scratch, bool assigns);

// LTTng-UST: two tracepoints an operation, in `binary`, written to a trace by a session daemon of our own.
std::unique_ptr<Tracer> make_lttng(std::string binary, std::filesystem::path scratch);
inline constexpr unsigned lttng_events_per_op = 2;

// uftrace: entry and return of the functions, patched in `binary` where the compiler left room, written to a file.
std::unique_ptr<Tracer> make_uftrace(std::string binary, std::filesystem::path scratch);

// One line of all that a tool said: the first that speaks of an error or a failure, or the last.
std::string complaint(const std::string& text);
// Runs a tool to its end; its standard output. Throws BenchError when it fails.
std::string output_of(const std::vector<std::string>& command);

}  // namespace mapaudit::bench
