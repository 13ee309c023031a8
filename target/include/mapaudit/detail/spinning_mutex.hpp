// SPDX-License-Identifier: Apache-2.0
//
// A mutex for critical sections of some tens of nanoseconds, where a sleep and a wake-up take many microseconds:
// glibc's adaptive one, which looks a while whether it comes free before it sleeps. std::mutex where there is no such
// thing.
#ifndef MAPAUDIT_DETAIL_SPINNING_MUTEX_HPP
#define MAPAUDIT_DETAIL_SPINNING_MUTEX_HPP

#include <pthread.h>

#include <mutex>

namespace mapaudit::detail {

#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP

class spinning_mutex {
public:
    spinning_mutex() = default;
    spinning_mutex(const spinning_mutex&) = delete;
    spinning_mutex& operator=(const spinning_mutex&) = delete;

    // They fail only for what cannot happen here: a mutex that is not one, or a recursion of other types.
    void lock() noexcept { ::pthread_mutex_lock(&mutex_); }
    bool try_lock() noexcept { return ::pthread_mutex_trylock(&mutex_) == 0; }
    void unlock() noexcept { ::pthread_mutex_unlock(&mutex_); }

private:
    pthread_mutex_t mutex_ = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
};

#else

using spinning_mutex = std::mutex;

#endif

}  // namespace mapaudit::detail

#endif
