// SPDX-License-Identifier: Apache-2.0
//
// A process that forks in the middle of an audited load: the child inherits the raised semaphores, the maps and its
// parent's half-full batch, works on them, and must not show up in the parent's counts. Prints the parent's own count.
#include <mapaudit/mutex_map.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>

#include "await_auditor.hpp"

int main() {
    mapaudit::mutex_map<long, long> map("forked");
    mapaudit::test::await_auditor();
    long assigned = 0;
    for (int round = 0; round < 20; ++round) {
        for (long i = 0; i < 1009; ++i, ++assigned) map.assign(i, i);
        const pid_t child = ::fork();
        if (child == 0) {
            for (long i = 0; i < 100'003; ++i) map.assign(i, i);
            return 0;  // by way of exit handlers, which flush
        }
        int status = 0;
        if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) {
            std::fprintf(stderr, "child status %x\n", status);
            return 1;
        }
    }
    std::printf("%ld\n", assigned);
    return 0;
}
