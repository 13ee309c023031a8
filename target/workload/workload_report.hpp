// SPDX-License-Identifier: Apache-2.0
//
// How an outcome is told: as the one JSON object that tests read, or as text for people.
#pragma once

#include <iosfwd>
#include <string>

#include "outcome.hpp"
#include "workload_options.hpp"

namespace mapaudit::workload {

// {"kind","threads","seconds","ops_per_s","ops":{"assign","lookup","erase"},"grows",
//  "maps":[{"id","name","ops","grows","buckets","size"}],"latency_ns":{"assign":{"p50","p90","p99","p999","max"},…}}
// "grows" count from the start of the load, prefilling not included; "latency_ns" stands there only when operations
// were timed, null in it where there was no call; "conflicts" only with --on-conflict.
std::string to_json(const Outcome& outcome, const Options& options);

void print_text(std::ostream& out, const Outcome& outcome);

}  // namespace mapaudit::workload
