// SPDX-License-Identifier: Apache-2.0
//
// A deep recursion that stops itself, traced, at its bottom.
#include <signal.h>
#include <sys/ptrace.h>
#include <unistd.h>

__attribute__((noinline)) int dig(int depth) {
    if (depth == 0) return kill(getpid(), SIGSTOP);
    const int below = dig(depth - 1);
    asm volatile("" ::: "memory");
    return below + 1;
}

int main() {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    return dig(1000);
}
