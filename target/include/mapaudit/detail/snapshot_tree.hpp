// SPDX-License-Identifier: Apache-2.0
//
// An immutable hash table as a tree: what snapshot_map publishes. A change makes a new root that shares all but the
// path to the changed bucket with the old one.
//
//   root ──► inner [64] ──► inner [64] ──► leaf [8] ──► leaf [8] …       one chain of leaves a bucket
//
//   Rules    Nothing that a published root leads to changes. An edit makes nodes that nobody sees and notes those that
//            they replace; committed, it hands the latter over; dropped, for what threw, it deletes the former.
#ifndef MAPAUDIT_DETAIL_SNAPSHOT_TREE_HPP
#define MAPAUDIT_DETAIL_SNAPSHOT_TREE_HPP

#include <cstdint>
#include <utility>

#include <mapaudit/detail/go_bucket.hpp>
#include <mapaudit/detail/reclaim.hpp>

namespace mapaudit::detail {

template <class K, class V, class Allocator>
struct snapshot_leaf : retirable_of<snapshot_leaf<K, V, Allocator>, Allocator> {
    using slot = go_slot<K, V>;
    ~snapshot_leaf() {
        for (unsigned i = 0; i < count; ++i) at(i).~slot();
    }
    const slot& at(unsigned i) const noexcept {
        return *std::launder(reinterpret_cast<const slot*>(storage + i * sizeof(slot)));
    }
    slot& at(unsigned i) noexcept { return *std::launder(reinterpret_cast<slot*>(storage + i * sizeof(slot))); }
    bool full() const noexcept { return count == slots_per_bucket; }
    template <class Value>
    void add(std::uint8_t top, const K& key, Value&& value) {
        ::new (static_cast<void*>(storage + count * sizeof(slot))) slot{key, std::forward<Value>(value)};
        tops[count++] = top;
    }

    std::uint8_t tops[slots_per_bucket] = {};
    unsigned count = 0;
    snapshot_leaf* next = nullptr;
    alignas(slot) std::byte storage[slots_per_bucket * sizeof(slot)];
};

inline constexpr unsigned snapshot_bits = 6;  // of a bucket's number, a level

template <class Allocator>
struct snapshot_inner : retirable_of<snapshot_inner<Allocator>, Allocator> {
    retirable* child[1u << snapshot_bits] = {};
};

template <class K, class V, class Allocator>
struct snapshot_root : retirable_of<snapshot_root<K, V, Allocator>, Allocator> {
    using leaf = snapshot_leaf<K, V, Allocator>;
    using inner = snapshot_inner<Allocator>;

    explicit snapshot_root(unsigned buckets_log2) : log2(buckets_log2) {}

    unsigned levels() const noexcept { return (log2 + snapshot_bits - 1) / snapshot_bits; }
    std::uint64_t buckets() const noexcept { return std::uint64_t{1} << log2; }
    static unsigned step(std::uint64_t bucket, unsigned level) noexcept {
        return bucket >> snapshot_bits * level & ((1u << snapshot_bits) - 1);
    }
    [[gnu::always_inline]] leaf* chain(std::uint64_t hash) const noexcept {
        const std::uint64_t bucket = hash & (buckets() - 1);
        retirable* at = top;
        for (unsigned level = levels(); level > 0 && at != nullptr; --level)
            at = static_cast<inner*>(at)->child[step(bucket, level - 1)];
        return static_cast<leaf*>(at);
    }
    struct position {
        leaf* at = nullptr;
        unsigned index = 0;
    };
    template <class Q, class Equal>
    [[gnu::always_inline]] position locate(const Q& key, std::uint64_t hash, const Equal& equal) const {
        for (leaf* at = chain(hash); at != nullptr; at = at->next)
            for (auto found = tops_reader::matching(at->tops, tophash(hash)); found; found.drop_first())
                if (equal(at->at(found.first()).key, key)) [[likely]]
                    return {at, found.first()};
        return {};
    }
    // f(node) for all below this root, children first.
    template <class F>
    void each_node(F&& f) const {
        below(top, levels(), f);
    }
    template <class F>
    void each_leaf(F&& f) const {
        leaves(top, levels(), f);
    }

    const unsigned log2;
    std::uint64_t size = 0, overflow = 0;
    retirable* top = nullptr;

private:
    template <class F>
    static void below(retirable* at, unsigned level, F& f) {
        if (at == nullptr) return;
        if (level > 0)
            for (retirable* child : static_cast<inner*>(at)->child) below(child, level - 1, f);
        else
            below(static_cast<leaf*>(at)->next, 0, f);
        f(at);
    }
    template <class F>
    static void leaves(retirable* at, unsigned level, F& f) {
        if (level > 0 && at != nullptr)
            for (retirable* child : static_cast<inner*>(at)->child) leaves(child, level - 1, f);
        else
            for (const leaf* l = static_cast<leaf*>(at); l != nullptr; l = l->next) f(*l);
    }
};

// One change under way. Nodes are linked by their retirement field, which readers do not look at.
template <class K, class V, class Allocator>
class snapshot_edit {
public:
    using root = snapshot_root<K, V, Allocator>;
    using leaf = snapshot_leaf<K, V, Allocator>;
    using inner = snapshot_inner<Allocator>;

    explicit snapshot_edit(const Allocator& allocator) noexcept : allocator_(allocator) {}
    snapshot_edit(const snapshot_edit&) = delete;
    snapshot_edit& operator=(const snapshot_edit&) = delete;
    ~snapshot_edit() {
        while (fresh_ != nullptr) std::exchange(fresh_, fresh_->next_retired)->dispose(&allocator_);
    }

    template <class Node, class... Args>
    Node* make(Args&&... args) {
        Node* node = make_with<Node>(allocator_, std::forward<Args>(args)...);
        node->next_retired = fresh_;
        fresh_ = node;
        return node;
    }
    void replaces(retirable* node) noexcept {
        node->next_retired = stale_;
        stale_ = node;
    }
    // The new nodes are published: what they replace is retired.
    void commit(reclaimer<Allocator>& to) noexcept {
        fresh_ = nullptr;
        while (stale_ != nullptr) {
            retirable* node = std::exchange(stale_, stale_->next_retired);
            to.retire(node);
        }
    }

    // The same leaf but for one element, which `put(copy)` adds in its place, or leaves out.
    template <class Put>
    leaf* changed(leaf* of, unsigned index, Put put) {
        leaf* copy = make<leaf>();
        for (unsigned i = 0; i < of->count; ++i)
            if (i == index)
                put(*copy);
            else
                copy->add(of->tops[i], of->at(i).key, of->at(i).value);
        if (index >= of->count) put(*copy);
        copy->next = of->next;
        replaces(of);
        return copy;
    }
    // The chain from `head` on with `with` in the place of `what`.
    leaf* chain(leaf* head, const leaf* what, leaf* with) {
        if (head == what) return with;
        leaf* copy = changed(head, slots_per_bucket, [](leaf&) {});
        copy->next = chain(head->next, what, with);
        return copy;
    }
    // A root like `of`, but for the chain of one bucket.
    root* path(root* of, std::uint64_t hash, leaf* head) {
        root* copy = make<root>(of->log2);
        copy->size = of->size;
        copy->overflow = of->overflow;
        copy->top = step(of->top, of->levels(), hash & (of->buckets() - 1), head);
        replaces(of);
        return copy;
    }
    // Into a root that nobody sees yet.
    template <class Value>
    void put(root& into, std::uint64_t hash, const K& key, Value&& value) {
        const std::uint64_t bucket = hash & (into.buckets() - 1);
        retirable** at = &into.top;
        for (unsigned level = into.levels(); level > 0; --level) {
            if (*at == nullptr) *at = make<inner>();
            at = &static_cast<inner*>(*at)->child[root::step(bucket, level - 1)];
        }
        leaf* head = static_cast<leaf*>(*at);
        if (head == nullptr || head->full()) {
            leaf* first = make<leaf>();
            first->next = head;
            into.overflow += head != nullptr ? 1 : 0;
            *at = head = first;
        }
        head->add(tophash(hash), key, std::forward<Value>(value));
        ++into.size;
    }

private:
    retirable* step(retirable* at, unsigned level, std::uint64_t bucket, leaf* head) {
        if (level == 0) return head;
        auto* copy = make<inner>();
        if (at != nullptr) {
            for (unsigned i = 0; i < std::size(copy->child); ++i) copy->child[i] = static_cast<inner*>(at)->child[i];
            replaces(at);
        }
        retirable*& child = copy->child[root::step(bucket, level - 1)];
        child = step(child, level - 1, bucket, head);
        return copy;
    }

    const Allocator& allocator_;
    retirable* fresh_ = nullptr;
    retirable* stale_ = nullptr;
};

}  // namespace mapaudit::detail

#endif
