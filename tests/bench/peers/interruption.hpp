// SPDX-License-Identifier: Apache-2.0
//
// ^C and its like, turned into an exception, so that destructors take back what was attached, defined and written.
#pragma once

#include <exception>

namespace mapaudit::bench {

struct Interrupted : std::exception {
    const char* what() const noexcept override { return "interrupted; nothing is left attached"; }
};

// From here on SIGINT, SIGTERM and SIGHUP are only noted.
void note_interruptions();
bool interrupted() noexcept;
// Throws Interrupted if one of them came.
void check_interruption();

}  // namespace mapaudit::bench
