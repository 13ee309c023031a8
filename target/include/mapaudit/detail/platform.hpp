// SPDX-License-Identifier: Apache-2.0
//
// What the audited path asks of the machine: a cheap clock, the CPU it runs on, its thread id.
#ifndef MAPAUDIT_DETAIL_PLATFORM_HPP
#define MAPAUDIT_DETAIL_PLATFORM_HPP

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>  // glibc 2.32 on
#endif

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

// The restartable-sequences area that glibc (2.35 on) registers for every thread holds the CPU number, kept up to
// date by the kernel: one load, where rdtscp costs a serialisation and getcpu a call. Weak: absent in older libcs.
extern "C" {
extern const std::ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));
}

namespace mapaudit::detail {

// CLOCK_MONOTONIC in ns.
inline std::uint64_t monotonic_ns() noexcept {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

// Does the counter below tick at one rate on every CPU and in every power state?
inline bool counter_is_invariant() noexcept {
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
#else
    return true;  // the generic timer is, by architecture
#endif
}

// The machine's counter, unfenced: where it starts an interval, what runs ahead of it belongs to the caller.
[[gnu::always_inline]] inline std::uint64_t counter() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#else
    std::uint64_t ticks;
    asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#endif
}

inline char* thread_pointer() noexcept {
#if defined(__x86_64__)
    char* pointer;
    asm("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
#else
    return static_cast<char*>(__builtin_thread_pointer());
#endif
}

// The counter once every instruction before it has been carried out. Without the fence the processor reads it while
// the operation's last cache misses are still on their way, and a slow look-up passes for a fast one.
[[gnu::always_inline]] inline std::uint64_t counter_after() noexcept {
#if defined(__x86_64__)
    _mm_lfence();
    return __rdtsc();
#else
    asm volatile("isb" : : : "memory");
    return counter();
#endif
}

// Where the kernel keeps the calling thread's CPU number up to date; null where it does not.
inline const volatile std::uint32_t* cpu_number_address() noexcept {
    if (&__rseq_size == nullptr || __rseq_size == 0) return nullptr;
    // struct rseq { u32 cpu_id_start; u32 cpu_id; … }: cpu_id_start is always a valid number.
    return reinterpret_cast<const volatile std::uint32_t*>(thread_pointer() + __rseq_offset);
}

[[gnu::noinline]] inline std::uint32_t ask_for_cpu() noexcept {
    const int cpu = ::sched_getcpu();
    return cpu < 0 ? 0u : static_cast<std::uint32_t>(cpu);
}

// Has the process one thread, as far as the C library knows?
[[gnu::always_inline]] inline bool single_threaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
    return __libc_single_threaded != 0;
#else
    return false;
#endif
}

inline std::uint32_t current_tid() noexcept { return static_cast<std::uint32_t>(::syscall(SYS_gettid)); }

}  // namespace mapaudit::detail

#endif
