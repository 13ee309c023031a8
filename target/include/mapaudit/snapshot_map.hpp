// SPDX-License-Identifier: Apache-2.0
//
// snapshot_map: an immutable snapshot that readers use without a lock; a writer clones what it changes and swaps the
// snapshot. The clone shares all but the path to the changed bucket with what it was made of. For maps that are read
// all the time, and iterated over while they are written. Needs liburcu; key and value must be copyable.
//
//   Progress     lookup, visit and for_each: wait-free but for the length of a chain. assign and erase: blocking, one
//                at a time; one in a batch of them waits for a grace period after its critical section.
//   Update       update()'s and upsert()'s f works on a copy, erase_if()'s looks at the value, once, with the writers'
//                lock held; neither may write to the map (deadlock). What it throws changes nothing.
//   Consistency  linearizable, clear() included. size() is exact at rest.
//   for_each     one snapshot: the whole map as it was at one moment. Its callback and visit()'s may call the map.
//   Growth       by the writer that needs it, which copies every element; readers keep the snapshot that they have.
//   Memory       the allocator's, given back by any writing thread, or reclaim(), a batch late; liburcu's record of
//                each reading thread is its own.
//   Exceptions   assign and erase are strong, and may throw what copying keys and values throws, and std::bad_alloc.
//                Values are destroyed by a later write, by reclaim(), or with the map.
#ifndef MAPAUDIT_SNAPSHOT_MAP_HPP
#define MAPAUDIT_SNAPSHOT_MAP_HPP

#include <memory>

#include <mapaudit/detail/audited_map.hpp>
#include <mapaudit/detail/lock_access.hpp>
#include <mapaudit/detail/snapshot_tree.hpp>

namespace mapaudit {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class snapshot_map
    : public detail::audited_map<snapshot_map<K, V, Hash, Equal, Allocator>, K, V, Hash, Equal, Allocator> {
    static_assert(std::is_copy_constructible_v<V>,
                  "snapshot_map's writers clone what they change: the value must be copy constructible "
                  "(sync_map and tophash_map take any)");
    using base = detail::audited_map<snapshot_map, K, V, Hash, Equal, Allocator>;
    friend base;
    using root = detail::snapshot_root<K, V, Allocator>;
    using leaf = detail::snapshot_leaf<K, V, Allocator>;
    using edit = detail::snapshot_edit<K, V, Allocator>;
    using lock = detail::owned_lock<std::mutex>;

public:
    static constexpr std::string_view kind = "snapshot_map";
    static constexpr bool concurrent = true;

    explicit snapshot_map(std::string_view name = {}, std::size_t reserve = 0, const Allocator& allocator = Allocator())
        : name_(name, allocator),
          allocator_(allocator),
          root_(detail::make_with<root>(allocator, log2_for(reserve))),
          retired_(allocator),
          handle_(kind, name, signs_.published()) {
        signs_.buckets = current()->buckets();
    }
    ~snapshot_map() {
        current()->each_node([this](detail::retirable* node) { node->dispose(&allocator_); });
        detail::destroy_with(allocator_, current());
    }

    // Destroys what was erased, overwritten and cloned so far; waits for the readers that are under way.
    void reclaim() { retired_.reclaim(); }

private:
    // Elements that so many buckets take before they double: 6.5 each, but a lone bucket is filled.
    static constexpr std::uint64_t limit(unsigned log2) noexcept {
        return log2 == 0 ? detail::slots_per_bucket : std::uint64_t{13} << (log2 - 1);
    }
    static unsigned log2_for(std::size_t elements) noexcept {
        unsigned log2 = 0;
        while (elements > limit(log2)) ++log2;
        return log2;
    }
    template <class Q>
    std::uint64_t hash_of(const Q& key) const {
        return detail::mix(static_cast<std::uint64_t>(hash_(key)));
    }
    root* current() const noexcept { return root_.load(std::memory_order_relaxed); }  // for the mutex's holder

    template <class F>
    void each_element(F& f) const {
        detail::read_section reading;
        root_.load(std::memory_order_acquire)->each_leaf([&](const leaf& l) {
            for (unsigned i = 0; i < l.count; ++i) std::invoke(f, l.at(i).key, l.at(i).value);
        });
    }
    void clear_elements() {
        {
            detail::whole_map_guard<lock, false> guard(mutex_, handle_.id());
            edit change(allocator_);
            root* old = current();
            root* fresh = change.template make<root>(old->log2);
            old->each_node([&](detail::retirable* node) { change.replaces(node); });
            change.replaces(old);
            publish(change, fresh);
        }
        retired_.reclaim();
    }
    detail::map_totals totals() const noexcept { return signs_.totals(); }
    void publish(edit& change, root* fresh) noexcept {
        root_.store(fresh, std::memory_order_release);
        detail::vital_signs::set(signs_.size, fresh->size);
        detail::vital_signs::set(signs_.overflow, fresh->overflow);
        detail::vital_signs::set(signs_.buckets, fresh->buckets());
        change.commit(retired_);
    }

    template <class Running, class Q, class F>
    bool visit_in(Running&, const Q& key, F& f) const {
        const std::uint64_t hash = hash_of(key);
        detail::read_section reading;
        const auto found = root_.load(std::memory_order_acquire)->locate(key, hash, equal_);
        if (found.at == nullptr) return false;
        std::invoke(f, std::as_const(found.at->at(found.index).value));
        return true;
    }

    template <class Running>
    bool assign_in(Running& running, const K& key, V&& value) {
        const std::uint64_t hash = hash_of(key);
        detail::running_guard<Running, lock, false> guard(running, mutex_);
        edit change(allocator_);
        root* old = current();
        const auto found = old->locate(key, hash, equal_);
        const auto put = [&](leaf& in) { in.add(detail::tophash(hash), key, std::move(value)); };
        if (found.at != nullptr) {
            leaf* head = change.chain(old->chain(hash), found.at, change.changed(found.at, found.index, put));
            publish(change, change.path(old, hash, head));
        } else {
            insert(running, change, old, hash, key, std::move(value));
        }
        guard.unlock();
        retired_.reclaim_when_full();
        return found.at == nullptr;
    }
    // Under the lock: a key that is not there.
    template <class Running>
    void insert(Running& running, edit& change, root* old, std::uint64_t hash, const K& key, V&& value) {
        if (old->size >= limit(old->log2)) return grow(running, change, old, hash, key, std::move(value));
        const auto put = [&](leaf& in) { in.add(detail::tophash(hash), key, std::move(value)); };
        leaf* head = old->chain(hash);
        leaf* room = head;
        while (room != nullptr && room->full()) room = room->next;
        if (room != nullptr) {
            leaf* longer = change.changed(room, detail::slots_per_bucket, put);
            publish(change, counted(change.path(old, hash, change.chain(head, room, longer)), 1, 0));
        } else {
            leaf* first = change.template make<leaf>();
            put(*first);
            first->next = head;
            publish(change, counted(change.path(old, hash, first), 1, head != nullptr ? 1 : 0));
        }
    }

    template <class Running, class Q, class F>
    bool update_in(Running& running, const Q& key, F& f) {
        const std::uint64_t hash = hash_of(key);
        detail::running_guard<Running, lock, false> guard(running, mutex_);
        edit change(allocator_);
        root* old = current();
        const auto found = old->locate(key, hash, equal_);
        if (found.at == nullptr) return false;
        update_found(change, old, hash, found, f);
        guard.unlock();
        retired_.reclaim_when_full();
        return true;
    }
    template <class F>
    void update_found(edit& change, root* old, std::uint64_t hash, const typename root::position& found, F& f) {
        V value(std::as_const(found.at->at(found.index).value));
        if (!detail::changed_by(f, value)) return;
        leaf* copy = change.changed(found.at, found.index, [&](leaf& in) {
            in.add(detail::tophash(hash), found.at->at(found.index).key, std::move(value));
        });
        publish(change, change.path(old, hash, change.chain(old->chain(hash), found.at, copy)));
    }

    template <class Running, class F>
    bool upsert_in(Running& running, const K& key, V&& value, F& f) {
        const std::uint64_t hash = hash_of(key);
        detail::running_guard<Running, lock, false> guard(running, mutex_);
        edit change(allocator_);
        root* old = current();
        const auto found = old->locate(key, hash, equal_);
        if (found.at != nullptr)
            update_found(change, old, hash, found, f);
        else if (detail::changed_by(f, value))
            insert(running, change, old, hash, key, std::move(value));
        else
            return false;
        guard.unlock();
        retired_.reclaim_when_full();
        return found.at == nullptr;
    }

    template <class Running, class Q, class F>
    bool erase_in(Running& running, const Q& key, F&& f) {
        const std::uint64_t hash = hash_of(key);
        detail::running_guard<Running, lock, false> guard(running, mutex_);
        edit change(allocator_);
        root* old = current();
        const auto found = old->locate(key, hash, equal_);
        if (found.at == nullptr || !std::invoke(f, std::as_const(found.at->at(found.index).value))) return false;
        leaf* head = old->chain(hash);
        leaf* rest = found.at->next;
        const bool one_of_many = found.at->count == 1 && (head != found.at || rest != nullptr);
        if (found.at->count > 1)
            rest = change.changed(found.at, found.index, [](leaf&) {});
        else
            change.replaces(found.at);
        publish(change, counted(change.path(old, hash, change.chain(head, found.at, rest)), -1, one_of_many ? -1 : 0));
        guard.unlock();
        retired_.reclaim_when_full();
        return true;
    }
    static root* counted(root* fresh, int elements, int leaves) noexcept {
        fresh->size += static_cast<std::uint64_t>(elements);
        fresh->overflow += static_cast<std::uint64_t>(leaves);
        return fresh;
    }

    template <class Running>
    [[gnu::noinline]] void grow(Running& running, edit& change, root* old, std::uint64_t hash, const K& key,
                                V&& value) {
        const std::uint64_t start = handle_.now();
        handle_.growing(true);
        root* fresh = change.template make<root>(old->log2 + 1);
        old->each_leaf([&](const leaf& l) {
            for (unsigned i = 0; i < l.count; ++i) change.put(*fresh, hash_of(l.at(i).key), l.at(i).key, l.at(i).value);
        });
        change.put(*fresh, hash, key, std::move(value));
        const std::uint64_t buckets = old->buckets();
        old->each_node([&](detail::retirable* node) { change.replaces(node); });
        change.replaces(old);
        publish(change, fresh);
        detail::vital_signs::add(signs_.grows, 1);
        running.grew({buckets, 2 * buckets, start == 0 ? 0 : handle_.now() - start, MAPAUDIT_GROW_LOAD, 0,
                      static_cast<std::uint32_t>(signs_.grows)});
        handle_.growing(false);
    }

    detail::text_of<Allocator> name_;
    [[no_unique_address]] Allocator allocator_;
    std::atomic<root*> root_;
    [[no_unique_address]] Hash hash_{};
    [[no_unique_address]] Equal equal_{};
    alignas(64) lock mutex_;
    detail::vital_signs signs_;
    detail::reclaimer<Allocator> retired_;
    map_handle handle_;
};

}  // namespace mapaudit

#endif
