// SPDX-License-Identifier: Apache-2.0
//
// A chain of calls of known names that stops itself, traced, in the innermost one. Built in many ways; the lines
// that the tests know are marked.
#include "chain.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

// After each call something is left to do: no call becomes a jump.
#define KEEP_FRAME() asm volatile("" ::: "memory")

namespace shop {

// By the bare instruction: the innermost frame is this one, not one of the C library's.
__attribute__((noinline)) void stop_here(long* counter) {
    const long pid = getpid();
    long result;
#if defined(__x86_64__)
    asm volatile("syscall" : "=a"(result) : "a"(long{SYS_kill}), "D"(pid), "S"(long{SIGSTOP}) : "rcx", "r11", "memory");
#else
    result = syscall(SYS_kill, pid, SIGSTOP);
#endif
    *counter += result;  // line: stop
}

struct Basket {
    long total = 0;
    template <class T>
    __attribute__((noinline)) T add(const T& price) {
        volatile char room[64];  // a frame of some size
        room[price & 63] = 1;
        stop_here(&total);  // line: add
        KEEP_FRAME();
        return static_cast<T>(price + total + room[price & 63]);
    }
};

namespace {

__attribute__((noinline)) int hidden(Basket& basket, int price) {
    const int sum = basket.add(price + 1);  // line: hidden
    KEEP_FRAME();
    return sum + 1;
}

__attribute__((always_inline)) inline int discount(Basket& basket, int price) {
    const int sum = hidden(basket, price / 2);  // line: discount
    KEEP_FRAME();
    return sum;
}

}  // namespace

__attribute__((noinline)) int serve(int customer) {
    Basket basket;
    const int paid = discount(basket, customer * 3);  // line: serve
    KEEP_FRAME();
    return paid - 1;
}

}  // namespace shop

extern "C" __attribute__((noinline)) int run_shop(int customer) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    auto closing = [&](int more) __attribute__((noinline)) {
        const int sum = shop::serve(customer + more);  // line: lambda
        KEEP_FRAME();
        return sum;
    };
    const int result = closing(customer) + 1;  // line: run
    KEEP_FRAME();
    return result;
}
