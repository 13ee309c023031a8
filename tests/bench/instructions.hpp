// SPDX-License-Identifier: Apache-2.0
//
// Instructions an operation takes, counted by callgrind: exact and repeatable, whatever else the machine is doing.
#pragma once

#include <string>

namespace mapaudit::bench {

// From two runs of different length, so that start-up cancels out. Throws BenchError when valgrind fails.
double instructions_per_op(const std::string& measured, const std::string& map, const std::string& mix);

}  // namespace mapaudit::bench
