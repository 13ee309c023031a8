// SPDX-License-Identifier: Apache-2.0
//
// The calling thread's kernel id, cheap enough for every write: asked for once a thread, and again after a fork.
#ifndef MAPAUDIT_DETAIL_THREAD_ID_HPP
#define MAPAUDIT_DETAIL_THREAD_ID_HPP

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace mapaudit::detail {

// Initial-exec: one load, no call, also in a shared library.
__attribute__((tls_model("initial-exec"))) inline constinit thread_local std::uint32_t cached_thread_id = 0;

[[gnu::noinline]] inline std::uint32_t ask_thread_id() noexcept {
    [[maybe_unused]] static const int forgets_on_fork =
        ::pthread_atfork(nullptr, nullptr, []() noexcept { cached_thread_id = 0; });
    cached_thread_id = static_cast<std::uint32_t>(::syscall(SYS_gettid));
    return cached_thread_id;
}

// Never 0.
[[gnu::always_inline]] inline std::uint32_t this_thread_id() noexcept {
    const std::uint32_t id = cached_thread_id;
    return id != 0 ? id : ask_thread_id();
}

}  // namespace mapaudit::detail

#endif
