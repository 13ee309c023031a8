// SPDX-License-Identifier: Apache-2.0
//
// A lambda that is inlined into the function that it is handed to, and stops itself, traced.
#include <signal.h>
#include <sys/ptrace.h>
#include <unistd.h>

__attribute__((noinline)) int stop(int x) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    const int result = kill(getpid(), SIGSTOP);
    asm volatile("" ::: "memory");
    return x + result;
}

template <class F>
__attribute__((noinline)) int call(F f) {
    const int result = f(3);
    asm volatile("" ::: "memory");
    return result + 1;
}

int main(int argc, char**) {
    const int result = call([&](int x) {
        const int seen = stop(x + argc);
        asm volatile("" ::: "memory");
        return seen;
    });
    asm volatile("" ::: "memory");
    return result & 1;
}
