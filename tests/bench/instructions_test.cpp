// SPDX-License-Identifier: Apache-2.0
//
// Unattached, a probe costs an operation at most three instructions. Counted, not timed, so it can be a test.
#include "instructions.hpp"

#include <gtest/gtest.h>

#include "variants.hpp"

namespace mapaudit::bench {
namespace {

TEST(Instructions, UnattachedCostsAtMostThree) {
    for (const char* map : maps) {
        for (const char* mix : mixes) {
            const double without = instructions_per_op(MEASURED_WITHOUT_PROBES, map, mix);
            const double with = instructions_per_op(MEASURED_WITH_PROBES, map, mix);
            EXPECT_GT(without, 5.0) << map << ' ' << mix << ": the compiler has removed what was to be measured";
            EXPECT_LE(with - without, 3.0) << map << ' ' << mix << ": " << without << " -> " << with;
        }
    }
}

}  // namespace
}  // namespace mapaudit::bench
