// SPDX-License-Identifier: Apache-2.0
//
// A signal that arrives in the midst of a function; its handler stops the process, traced.
#include <signal.h>
#include <sys/ptrace.h>
#include <unistd.h>

extern "C" __attribute__((noinline)) void on_signal(int) {
    kill(getpid(), SIGSTOP);
    asm volatile("" ::: "memory");
}

extern "C" __attribute__((noinline)) int busy(int* where) {
    *where = 7;  // faults
    asm volatile("" ::: "memory");
    return *where;
}

int main(int argc, char**) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    signal(SIGUSR1, on_signal);
    signal(SIGSEGV, on_signal);
    return busy(reinterpret_cast<int*>(static_cast<long>(argc - 1))) + 1;
}
