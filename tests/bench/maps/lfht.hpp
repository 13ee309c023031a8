// SPDX-License-Identifier: Apache-2.0
//
// liburcu's cds_lfht over one of its flavours, which has
//
//   Flavour::Thread   what a thread must be while it uses the map        Flavour::Reading   a read-side section
//   table(size), call(head, function), barrier(), pause()
//
// A value is overwritten in place, by an atomic store: quicker than cds_lfht_add_replace, which makes a new node.
#pragma once

#include <urcu/rculfhash.h>

#include <stdexcept>

#include "maps/map_of.hpp"

namespace mapaudit::bench {

template <class Flavour, class Key>
class Lfht {
    struct Node {
        Node(const Key& k, MapValue v) : key(k), value(v) {}
        cds_lfht_node in_table;
        rcu_head in_queue;
        const Key key;
        std::atomic<MapValue> value;
    };

public:
    using Thread = typename Flavour::Thread;

    explicit Lfht(std::uint64_t keys) : table_(Flavour::table(power_of_two(keys))) {
        if (table_ == nullptr) throw std::bad_alloc();
    }
    Lfht(const Lfht&) = delete;
    Lfht& operator=(const Lfht&) = delete;
    ~Lfht() {
        {
            const Thread thread;
            const typename Flavour::Reading reading;
            cds_lfht_iter at;
            cds_lfht_first(table_, &at);
            while (cds_lfht_node* found = cds_lfht_iter_get_node(&at)) {
                cds_lfht_next(table_, &at);
                if (cds_lfht_del(table_, found) == 0) Flavour::call(&node_of(found)->in_queue, free_node);
            }
        }
        Flavour::barrier();
        cds_lfht_destroy(table_, nullptr);
    }

    [[gnu::always_inline]] bool lookup(const Key& key, MapValue& value) {
        const typename Flavour::Reading reading;
        const Node* found = find(key, hash(key));
        if (found == nullptr) return false;
        value = found->value.load(std::memory_order_acquire);
        return true;
    }
    bool assign(const Key& key, MapValue value) {
        const unsigned long hashed = hash(key);
        const typename Flavour::Reading reading;
        if (overwrite(find(key, hashed), value)) return false;
        auto fresh = std::make_unique<Node>(key, value);
        cds_lfht_node* there = cds_lfht_add_unique(table_, hashed, matches, &key, &fresh->in_table);
        if (there == &fresh->in_table) {
            fresh.release();
            return true;
        }
        overwrite(node_of(there), value);
        return false;
    }
    bool erase(const Key& key) {
        const typename Flavour::Reading reading;
        Node* found = find(key, hash(key));
        if (found == nullptr || cds_lfht_del(table_, &found->in_table) != 0) return false;
        Flavour::call(&found->in_queue, free_node);
        return true;
    }
    std::uint64_t size() {
        const Thread thread;
        const typename Flavour::Reading reading;
        long before = 0, after = 0;
        unsigned long count = 0;
        cds_lfht_count_nodes(table_, &before, &count, &after);
        return count;
    }
    void pause() { Flavour::pause(); }

private:
    static unsigned long power_of_two(std::uint64_t keys) { return std::bit_ceil(keys); }
    static unsigned long hash(const Key& key) {
        if constexpr (std::is_integral_v<Key>)
            return scattered(key);
        else
            return std::hash<Key>()(key);
    }
    static Node* node_of(cds_lfht_node* in_table) {
        return in_table == nullptr ? nullptr : caa_container_of(in_table, Node, in_table);
    }
    static int matches(cds_lfht_node* in_table, const void* key) {
        return node_of(in_table)->key == *static_cast<const Key*>(key);
    }
    static void free_node(rcu_head* in_queue) { delete caa_container_of(in_queue, Node, in_queue); }
    static bool overwrite(Node* found, MapValue value) {
        if (found == nullptr) return false;
        found->value.store(value, std::memory_order_release);
        return true;
    }
    [[gnu::always_inline]] Node* find(const Key& key, unsigned long hashed) {
        cds_lfht_iter at;
        cds_lfht_lookup(table_, hashed, matches, &key, &at);
        return node_of(cds_lfht_iter_get_node(&at));
    }

    cds_lfht* table_;
};

template <class Flavour>
std::unique_ptr<MapSubject> make_lfht(KeyKind kind, std::uint64_t keys) {
    if (kind == KeyKind::integer) return std::make_unique<MapOf<Lfht<Flavour, std::uint64_t>, std::uint64_t>>(keys);
    return std::make_unique<MapOf<Lfht<Flavour, std::string>, std::string>>(keys);
}

}  // namespace mapaudit::bench
