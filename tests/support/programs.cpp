// SPDX-License-Identifier: Apache-2.0
#include "support/programs.hpp"

namespace mapaudit::test {

const char* const workload_program = BUILD_FOLDER "/target/mapaudit-workload";
const char* const kvd_program = BUILD_FOLDER "/target/mapaudit-kvd";
const char* const auditor_program = BUILD_FOLDER "/userspace/mapaudit";

}  // namespace mapaudit::test
