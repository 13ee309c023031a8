// SPDX-License-Identifier: Apache-2.0
//
// One shard of cache_map: a table of nodes and the list of them in order of use. Everything but the mutex and what is
// read from outside (signs) belongs to the mutex's holder.
#ifndef MAPAUDIT_DETAIL_LRU_SHARD_HPP
#define MAPAUDIT_DETAIL_LRU_SHARD_HPP

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include <mapaudit/detail/go_table.hpp>
#include <mapaudit/detail/lock_notes.hpp>
#include <mapaudit/detail/vital_signs.hpp>

namespace mapaudit::detail {

template <class K, class V, class Hash, class Equal, class Allocator>
struct alignas(64) lru_shard {
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    using lock = owned_lock<std::mutex>;

    struct node {
        node(const K& k, V&& v, std::int64_t expiry_ns) : key(k), value(std::move(v)), expires_ns(expiry_ns) {}
        const K key;
        V value;
        std::int64_t expires_ns;  // on the map's clock; `never` for most
        node* older = nullptr;
        node* newer = nullptr;
    };
    using table = go_table<K, node*, Hash, Equal, Allocator>;
    using owned_node = owned<node, Allocator>;

    lru_shard(const Allocator& a, std::size_t reserve) : elements(reserve, a), allocator(a) {
        signs.describe(elements);
    }
    ~lru_shard() { drop_nodes(); }

    template <class Q>
    node* find(const Q& key, std::uint64_t hash) const {
        node* const* found = elements.find(key, hash);
        return found == nullptr ? nullptr : *found;
    }
    // Strong: `fresh` is left alone when the table cannot take it.
    template <class Observer>
    void insert(owned_node& fresh, std::uint64_t hash, Observer& observer) {
        node* raw = fresh.get();
        elements.assign(fresh->key, std::move(raw), hash, observer);
        link(fresh.release());
        signs.describe(elements);
    }
    template <class Observer>
    owned_node remove(node* n, std::uint64_t hash, Observer& observer) {
        elements.erase(n->key, hash, observer);
        unlink(n);
        signs.describe(elements);
        return owned_node(n, {allocator});
    }
    void use(node* n) noexcept {
        if (n == newest) return;
        unlink(n);
        link(n);
    }
    void clear() noexcept {
        elements.clear();
        drop_nodes();
        oldest = nullptr;
        signs.describe(elements);
    }

    lock mutex;
    table elements;
    node* newest = nullptr;
    node* oldest = nullptr;
    vital_signs signs;
    [[no_unique_address]] Allocator allocator;

private:
    void drop_nodes() noexcept {
        while (newest != nullptr) destroy_with(allocator, std::exchange(newest, newest->older));
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
