// SPDX-License-Identifier: Apache-2.0
#include "map_script.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include <mapaudit/cache_map.hpp>
#include <mapaudit/cas_map.hpp>
#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/operation_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

namespace mapaudit_test {
namespace {

using u64 = std::uint64_t;

// Many keys share a chain, and some share a hash.
struct poor_hash {
    std::size_t operator()(u64 key) const noexcept { return key / 2 % 48; }
    std::size_t operator()(const std::string& key) const noexcept { return key.size() % 7; }
};

template <class T>
T made_from(u64 number) {
    if constexpr (std::is_same_v<T, std::string>)
        return std::string(number % 40, 'x') + std::to_string(number);
    else
        return number;
}

template <class Map>
class script_run {
    using K = typename Map::key_type;
    using V = typename Map::mapped_type;

public:
    void run(std::span<const std::uint8_t> script) {
        while (script.size() >= 2) {
            const unsigned what = script[0] % 16;
            const u64 key = script[1] + (script[0] >= 0x80 ? 256u : 0u);
            script = script.subspan(2);
            u64 value = 0;
            if (what < 6 && !script.empty()) {
                value = script[0];
                script = script.subspan(1);
            }
            step(what, key, value);
        }
        compare();
    }

private:
    void check(bool holds, const char* what) const {
        if (holds) return;
        std::fprintf(stderr, "%.*s: %s differs from std::unordered_map's\n", static_cast<int>(Map::kind.size()),
                     Map::kind.data(), what);
        std::abort();
    }
    void step(unsigned what, u64 number, u64 value) {
        const K key = made_from<K>(number);
        if (what < 6) {
            check(map_.assign(key, made_from<V>(value)) == model_.insert_or_assign(key, made_from<V>(value)).second,
                  "assign");
        } else if (what < 10) {
            check(map_.erase(key) == (model_.erase(key) != 0), "erase");
        } else if (what == 12) {
            const auto known = model_.find(key);
            const auto change = [](V& of) { of = made_from<V>(std::hash<V>{}(of) % 1'000'003 + 1); };
            check(map_.update(key, change) == (known != model_.end()), "update");
            if (known != model_.end()) change(known->second);
            check(known == model_.end() || map_.lookup(key) == known->second, "lookup after update");
        } else if (what < 12) {
            const auto known = model_.find(key);
            check(map_.lookup(key) == (known == model_.end() ? std::nullopt : std::optional<V>(known->second)),
                  "lookup");
        } else if (what == 13) {
            // As many insertions as it takes to grow, and their erasure.
            for (u64 i = 0; i < 64; ++i) step(i % 3 == 2 ? 6 : 0, 1'000 + number * 32 + i / 2, value);
        } else if (what == 14) {
            compare();
        } else if (number < 32) {
            map_.clear();
            model_.clear();
        } else {
            rest_on_what_is_there(key, number);
        }
    }
    void rest_on_what_is_there(const K& key, u64 number) {
        const auto known = model_.find(key);
        const bool there = known != model_.end();
        if (number % 2 == 0) {
            const auto odd = [](const V& of) { return std::hash<V>{}(of) % 2 == 1; };
            const bool goes = there && odd(known->second);
            check(map_.erase_if(key, odd) == goes, "erase_if");
            if (goes) model_.erase(known);
        } else {
            const auto change = [](V& of) { of = made_from<V>(std::hash<V>{}(of) % 1'000'003 + 1); };
            check(map_.upsert(key, made_from<V>(number), change) != there, "upsert");
            change((there ? known : model_.emplace(key, made_from<V>(number)).first)->second);
        }
        const auto now = model_.find(key);
        check(map_.lookup(key) == (now == model_.end() ? std::nullopt : std::optional<V>(now->second)),
              "lookup after upsert or erase_if");
    }
    void compare() const {
        check(map_.size() == model_.size(), "size");
        std::unordered_set<K, poor_hash> visited;
        map_.for_each([&](const K& key, const V& value) {
            const auto known = model_.find(key);
            check(known != model_.end() && known->second == value && visited.insert(key).second, "for_each");
        });
        check(visited.size() == model_.size(), "for_each");
    }

    Map map_{"fuzzed"};
    std::unordered_map<K, V, poor_hash> model_;
};

template <class... Maps>
void run_each(std::span<const std::uint8_t> script) {
    (script_run<Maps>().run(script), ...);
}

}  // namespace

void run_map_script(std::span<const std::uint8_t> script) {
    using namespace mapaudit;
    using text = std::string;
    run_each<go_map<u64, u64, poor_hash>, mutex_map<u64, u64, poor_hash>, rwlock_map<u64, u64, poor_hash>,
             sharded_map<u64, u64, poor_hash>, tophash_map<u64, u64, poor_hash>, cas_map<u64, u64, poor_hash>,
             sync_map<u64, u64, poor_hash>, snapshot_map<u64, u64, poor_hash>, cache_map<u64, u64, poor_hash>,
             operation_map<u64, u64, poor_hash>>(script);
    run_each<go_map<text, text, poor_hash>, tophash_map<text, text, poor_hash>, cas_map<text, u64, poor_hash>,
             sync_map<text, text, poor_hash>, snapshot_map<text, text, poor_hash>, cache_map<text, text, poor_hash>>(
        script);
}

}  // namespace mapaudit_test
