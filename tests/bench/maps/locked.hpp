// SPDX-License-Identifier: Apache-2.0
//
// Adapters for maps of the standard's interface: as they are, for one thread, and behind a std::mutex.
#pragma once

#include <mutex>

#include "maps/map_of.hpp"

namespace mapaudit::bench {

template <class Map>
class Plain {
public:
    using Key = typename Map::key_type;
    using Thread = NoThread;

    explicit Plain(std::uint64_t keys) { map_.reserve(keys); }

    [[gnu::always_inline]] bool lookup(const Key& key, MapValue& value) {
        const auto found = map_.find(key);
        if (found == map_.end()) return false;
        value = found->second;
        return true;
    }
    [[gnu::always_inline]] bool assign(const Key& key, MapValue value) {
        return map_.insert_or_assign(key, value).second;
    }
    [[gnu::always_inline]] bool erase(const Key& key) { return map_.erase(key) != 0; }
    std::uint64_t size() { return map_.size(); }

private:
    Map map_;
};

template <class Map>
class Locked {
public:
    using Key = typename Map::key_type;
    using Thread = NoThread;

    explicit Locked(std::uint64_t keys) : map_(keys) {}

    [[gnu::always_inline]] bool lookup(const Key& key, MapValue& value) {
        const std::lock_guard guard(mutex_);
        return map_.lookup(key, value);
    }
    [[gnu::always_inline]] bool assign(const Key& key, MapValue value) {
        const std::lock_guard guard(mutex_);
        return map_.assign(key, value);
    }
    [[gnu::always_inline]] bool erase(const Key& key) {
        const std::lock_guard guard(mutex_);
        return map_.erase(key);
    }
    std::uint64_t size() { return map_.size(); }

private:
    std::mutex mutex_;
    Plain<Map> map_;
};

}  // namespace mapaudit::bench
