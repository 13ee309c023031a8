// SPDX-License-Identifier: Apache-2.0
//
// The access rules of the maps that have a lock. Locks are taken through the running operation, which times the wait
// while somebody listens.
#ifndef MAPAUDIT_DETAIL_LOCK_ACCESS_HPP
#define MAPAUDIT_DETAIL_LOCK_ACCESS_HPP

#include <mutex>
#include <shared_mutex>

namespace mapaudit::detail {

class mutex_access {
public:
    using guard = std::unique_lock<std::mutex>;

    template <class Running, class Map>
    guard write(Running& running, const Map&) {
        running.lock(mutex_);
        return guard(mutex_, std::adopt_lock);
    }
    template <class Running, class Map>
    guard read(Running& running, const Map& map) {
        return write(running, map);
    }
    template <class Map>
    guard iterate(const Map&) {
        return guard(mutex_);
    }
    guard inspect() { return guard(mutex_); }
    template <class Map>
    void check_iteration(const Map&) const noexcept {}

private:
    std::mutex mutex_;
};

class rwlock_access {
public:
    using guard = std::unique_lock<std::shared_mutex>;
    using shared_guard = std::shared_lock<std::shared_mutex>;

    template <class Running, class Map>
    guard write(Running& running, const Map&) {
        running.lock(mutex_);
        return guard(mutex_, std::adopt_lock);
    }
    template <class Running, class Map>
    shared_guard read(Running& running, const Map&) {
        running.lock_shared(mutex_);
        return shared_guard(mutex_, std::adopt_lock);
    }
    template <class Map>
    shared_guard iterate(const Map&) {
        return shared_guard(mutex_);
    }
    shared_guard inspect() { return shared_guard(mutex_); }
    template <class Map>
    void check_iteration(const Map&) const noexcept {}

private:
    std::shared_mutex mutex_;
};

}  // namespace mapaudit::detail

#endif
