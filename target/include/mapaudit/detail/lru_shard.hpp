// SPDX-License-Identifier: Apache-2.0
//
// One shard of cache_map: a table of nodes and the list of them in order of use. Everything but the mutex and what is
// read from outside (signs) belongs to the mutex's holder.
#ifndef MAPAUDIT_DETAIL_LRU_SHARD_HPP
#define MAPAUDIT_DETAIL_LRU_SHARD_HPP

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <mapaudit/detail/audited_map.hpp>
#include <mapaudit/detail/go_table.hpp>
#include <mapaudit/detail/lock_notes.hpp>

namespace mapaudit::detail {

template <class K, class V, class Hash, class Equal>
struct alignas(64) lru_shard {
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    using lock = owned_lock<std::mutex>;

    struct node {
        const K key;
        V value;
        std::int64_t expires_ns;  // on the map's clock; `never` for most
        node* older = nullptr;
        node* newer = nullptr;
    };
    using table = go_table<K, node*, Hash, Equal>;

    ~lru_shard() {
        while (newest != nullptr) delete std::exchange(newest, newest->older);
    }
    static std::unique_ptr<lru_shard[]> made(std::size_t count, std::size_t reserve) {
        std::unique_ptr<lru_shard[]> all(new lru_shard[count]);
        // Shards fill unevenly: four standard deviations more than their share.
        const double share = static_cast<double>(reserve) / static_cast<double>(count);
        for (std::size_t i = 0; i < count; ++i) {
            all[i].elements.presize(static_cast<std::size_t>(share + 4 * std::sqrt(share) + 0.5));
            all[i].describe();
        }
        return all;
    }

    template <class Q>
    node* find(const Q& key, std::uint64_t hash) const {
        node* const* found = elements.find(key, hash);
        return found == nullptr ? nullptr : *found;
    }
    // Strong: `fresh` is left alone when the table cannot take it.
    template <class Observer>
    void insert(std::unique_ptr<node>& fresh, std::uint64_t hash, Observer& observer) {
        node* raw = fresh.get();
        elements.assign(fresh->key, std::move(raw), hash, observer);
        link(fresh.release());
        describe();
    }
    template <class Observer>
    std::unique_ptr<node> remove(node* n, std::uint64_t hash, Observer& observer) {
        elements.erase(n->key, hash, observer);
        unlink(n);
        describe();
        return std::unique_ptr<node>(n);
    }
    void use(node* n) noexcept {
        if (n == newest) return;
        unlink(n);
        link(n);
    }
    void clear() noexcept {
        elements.clear();
        while (newest != nullptr) delete std::exchange(newest, newest->older);
        oldest = nullptr;
        describe();
    }

    lock mutex;
    table elements;
    node* newest = nullptr;
    node* oldest = nullptr;
    vital_signs signs;

private:
    void describe() noexcept {
        vital_signs::set(signs.size, elements.size());
        vital_signs::set(signs.buckets, elements.bucket_count());
        vital_signs::set(signs.overflow, elements.live().overflow);
    }
    void link(node* n) noexcept {
        n->newer = nullptr;
        n->older = newest;
        (newest != nullptr ? newest->newer : oldest) = n;
        newest = n;
    }
    void unlink(node* n) noexcept {
        (n->newer != nullptr ? n->newer->older : newest) = n->older;
        (n->older != nullptr ? n->older->newer : oldest) = n->newer;
    }
};

}  // namespace mapaudit::detail

#endif
