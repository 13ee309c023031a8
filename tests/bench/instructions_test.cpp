// SPDX-License-Identifier: Apache-2.0
//
// What a probe costs an unattached operation, in instructions: counted, not timed, so it can be a test. The goal is
// three. The compare and the branch are two everywhere; what is above is registers that g++ saves for the attached
// path, which is never taken.
#include "instructions.hpp"

#include <gtest/gtest.h>

namespace mapaudit::bench {
namespace {

struct Ceiling {
    const char* map;
    const char* mix;
    double instructions;
};

class Instructions : public testing::TestWithParam<Ceiling> {};

TEST_P(Instructions, OfAnUnattachedOperation) {
    const auto [map, mix, ceiling] = GetParam();
    const double without = instructions_per_op(MEASURED_WITHOUT_PROBES, map, mix);
    const double with = instructions_per_op(MEASURED_WITH_PROBES, map, mix);
    EXPECT_GT(without, 5.0) << "the compiler has removed what was to be measured";
    // A twentieth: what differs outside the loop, spread over its operations.
    EXPECT_LE(with - without, ceiling + 0.05) << without << " -> " << with;
}

INSTANTIATE_TEST_SUITE_P(Maps, Instructions,
                         testing::Values(Ceiling{"mutex_map", "lookup", 2.0}, Ceiling{"mutex_map", "mixed", 2.0},
                                         Ceiling{"go_map", "lookup", 2.0}, Ceiling{"go_map", "mixed", 2.0}),
                         [](const auto& test) { return std::string(test.param.map) + "_" + test.param.mix; });

}  // namespace
}  // namespace mapaudit::bench
