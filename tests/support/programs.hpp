// SPDX-License-Identifier: Apache-2.0
//
// Where this build's programs lie. One source knows their paths: as definitions of every test's sources, these would
// keep ccache from knowing a source again in another checkout.
#pragma once

namespace mapaudit::test {

// Whole paths; there whether or not this build makes the program.
extern const char* const workload_program;
extern const char* const kvd_program;
extern const char* const auditor_program;

}  // namespace mapaudit::test

#define MAPAUDIT_WORKLOAD ::mapaudit::test::workload_program
#define MAPAUDIT_KVD ::mapaudit::test::kvd_program
#define MAPAUDIT_AUDITOR ::mapaudit::test::auditor_program
