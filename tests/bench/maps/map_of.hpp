// SPDX-License-Identifier: Apache-2.0
//
// MapSubject over an adapter, which has
//
//   Adapter(keys)                   room for so many
//   lookup(key, value&) → bool      assign(key, value) → is new      erase(key) → was there      size()
//   Thread                          an object that every thread has while it works
//   pause(), optional               between two chunks of operations
//   filled(), optional              after the map was filled
#pragma once

#include <utility>

#include "maps/subject_map.hpp"
#include "subject.hpp"

namespace mapaudit::bench {

using MapValue = std::uint64_t;
struct NoThread {};

template <class Adapter, class Key>
class MapOf : public MapSubject {
public:
    explicit MapOf(std::uint64_t keys) : map_(keys) {}

    void fill(const Keys& keys) override {
        [[maybe_unused]] typename Adapter::Thread thread;
        for (std::uint64_t i = 0; i < keys.count; ++i) {
            const std::uint64_t identity = keys.identity(i);
            map_.assign(key(keys, identity), identity);
            if (i % chunk == 0) pause();
        }
        if constexpr (requires { map_.filled(); }) map_.filled();
    }

    Tally work(const Keys& keys, const std::vector<MapStep>& steps, std::size_t from,
               const std::atomic<bool>& stop) override {
        [[maybe_unused]] typename Adapter::Thread thread;
        Tally tally;
        std::size_t at = from - from % chunk;
        do {
            const MapStep* step = steps.data() + at;
            for (const MapStep* const end = step + chunk; step != end; ++step) operate(keys, *step, tally);
            at = at + chunk == steps.size() ? 0 : at + chunk;
            pause();
        } while (!stop.load(std::memory_order_relaxed));
        return tally;
    }

    std::uint64_t size() override { return map_.size(); }

private:
    static constexpr std::size_t chunk = steps_a_chunk;

    static decltype(auto) key(const Keys& keys, std::uint64_t identity) {
        if constexpr (std::is_integral_v<Key>)
            return Key{identity};
        else
            return static_cast<const Key&>(keys.strings[identity]);
    }
    void pause() {
        if constexpr (requires { map_.pause(); }) map_.pause();
    }
    [[gnu::always_inline]] void operate(const Keys& keys, MapStep step, Tally& tally) {
        const std::uint64_t identity = identity_of(step);
        decltype(auto) with = key(keys, identity);
        switch (op_of(step)) {
            case MapOp::lookup: {
                MapValue value = 0;
                const bool found = map_.lookup(with, value);
                ++tally.lookups;
                tally.found += found;
                // Any bits of its own above the key's: which write it was.
                tally.wrong += found && (value & identity_mask) != identity;
                break;
            }
            case MapOp::assign:
                ++tally.assigns;
                tally.inserted += map_.assign(with, identity | tally.assigns << identity_bits);
                break;
            case MapOp::erase:
                ++tally.erases;
                tally.erased += map_.erase(with);
                break;
        }
    }

    Adapter map_;
};

template <template <class> class Adapter>
std::unique_ptr<MapSubject> make_of(KeyKind kind, std::uint64_t keys) {
    if (kind == KeyKind::integer) return std::make_unique<MapOf<Adapter<std::uint64_t>, std::uint64_t>>(keys);
    return std::make_unique<MapOf<Adapter<std::string>, std::string>>(keys);
}

}  // namespace mapaudit::bench
