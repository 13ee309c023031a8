// SPDX-License-Identifier: Apache-2.0
//
// sync_map: the design of Go's sync.Map. A read-only part is read, and its keys overwritten and erased, without a lock;
// keys that it lacks live in a dirty part behind a mutex. For keys that are written once and read often, or for
// threads that keep to keys of their own. Needs liburcu.
//
//   read_   ──► table: key → entry ─┐
//   dirty_  ──► table: key → entry ─┴─► entry → box (the value), or null (erased), or `expunged` (erased, not in
//   dirty_)
//
//   Rules    An entry is in both tables or in one; who changes its box by compare-exchange changes both. When dirty_ is
//            made, it gets every entry of read_ that has a value; the others turn `expunged`, which sends a writer to
//            the mutex, where it enters dirty_ first. After as many misses as dirty_ has keys, dirty_ becomes read_.
//            dirty_, misses_, the amended mark and what read_ points at change under the mutex only.
//   Progress     lookup, visit, overwrite and erase of keys in the read-only part: lock-free. New keys, and all misses
//                while there is a dirty part: blocking. An insertion into a fresh dirty part copies every key's entry.
//   Update       update()'s and upsert()'s f works on a copy, without a lock, and is called again with a newer one when
//                another write came between; update()'s may call the map. upsert()'s f of a key that is absent, and
//                erase_if()'s, may be called with the mutex held: neither may call the map (deadlock). What they throw
//                changes nothing.
//   Consistency  operations on keys are linearizable. size() is exact at rest. clear() empties key by key: writes
//                beside it may be kept.
//   for_each     promotes the dirty part, then takes no lock: an element that is there throughout is visited exactly
//                once, one that comes or goes meanwhile once or not at all. Callbacks of for_each and visit may call
//                the map.
//   Growth       the dirty part's, a bucket or two a write; readers never meet it.
//   Memory       the allocator's, given back by any writing thread, or reclaim(), a batch late; liburcu's record of
//                each reading thread is its own.
//   Exceptions   assign is strong. Values are destroyed by a later write, by reclaim(), or with the map. An erased key
//                keeps its entry until the next promotion.
#ifndef MAPAUDIT_SYNC_MAP_HPP
#define MAPAUDIT_SYNC_MAP_HPP

#include <memory>

#include <mapaudit/detail/audited_map.hpp>
#include <mapaudit/detail/go_cursor.hpp>
#include <mapaudit/detail/growth_tap.hpp>
#include <mapaudit/detail/lock_access.hpp>
#include <mapaudit/detail/sync_parts.hpp>

namespace mapaudit {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class sync_map : public detail::audited_map<sync_map<K, V, Hash, Equal, Allocator>, K, V, Hash, Equal, Allocator>,
                 private detail::sync_parts<K, V, Hash, Equal, Allocator> {
    using base = detail::audited_map<sync_map, K, V, Hash, Equal, Allocator>;
    friend base;
    using parts = detail::sync_parts<K, V, Hash, Equal, Allocator>;
    using typename parts::box;
    using typename parts::entry;
    using typename parts::lock;
    using typename parts::view_type;
    template <class T>
    using owned = detail::owned<T, Allocator>;
    using parts::allocator_, parts::dirty_, parts::mutex_, parts::retired_, parts::signs_;
    using parts::describe, parts::find, parts::forget, parts::hash_of, parts::missed, parts::promote;
    using parts::replace_all, parts::start_dirty, parts::stored, parts::view;
    template <class Running>
    using guard_of = detail::running_guard<Running, lock, false>;

public:
    static constexpr std::string_view kind = "sync_map";
    static constexpr bool concurrent = true;

    explicit sync_map(std::string_view name = {}, std::size_t reserve = 0, const Allocator& allocator = Allocator())
        : parts(reserve, allocator), name_(name, allocator), handle_(kind, name, signs_.published()) {}

    // Destroys what was erased, overwritten and promoted away so far; waits for the readers that are under way.
    void reclaim() { retired_.reclaim(); }

private:
    template <class F>
    void each_element(F& f) const {
        if (view().amended()) {
            detail::whole_map_guard<lock, false> guard(mutex_, handle_.id());
            if (view().amended()) promote();
        }
        {
            detail::read_section reading;
            view().table()->each_element([&](const K& key, const entry& e) {
                if (const box* value = e.load()) std::invoke(f, key, value->value);
            });
        }
        retired_.reclaim_when_full();
    }
    void clear_elements() {
        {
            detail::whole_map_guard<lock, false> guard(mutex_, handle_.id());
            replace_all();
        }
        retired_.reclaim();
    }
    detail::map_totals totals() const noexcept { return signs_.totals(); }
    template <class Running, class Q, class F>
    bool visit_in(Running& running, const Q& key, F& f) const {
        const std::uint64_t hash = hash_of(key);
        {
            detail::read_section reading;
            const view_type now = view();
            const entry* e = find(now.table(), key, hash);
            if (e != nullptr || !now.amended()) return visit_entry(e, f);
        }
        guard_of<Running> guard(running, mutex_);
        detail::read_section reading;  // after the mutex: nobody waits for it in a section that holds up the others
        const view_type now = view();
        const entry* e = find(now.table(), key, hash);
        const box* value = nullptr;
        if (e != nullptr || !now.amended()) {
            value = e == nullptr ? nullptr : e->load();
        } else {
            e = find(dirty_.get(), key, hash);
            value = e == nullptr ? nullptr : e->load();
            missed();
        }
        guard.unlock();
        if (value == nullptr) return false;
        std::invoke(f, value->value);
        return true;
    }
    template <class F>
    static bool visit_entry(const entry* e, F& f) {
        const box* value = e == nullptr ? nullptr : e->load();
        if (value == nullptr) return false;
        std::invoke(f, value->value);
        return true;
    }

    template <class Running>
    bool assign_in(Running& running, const K& key, V&& value) {
        const std::uint64_t hash = hash_of(key);
        auto fresh = detail::own_with<box>(allocator_, std::move(value));
        const bool is_new = assign_boxed(running, key, hash, fresh);
        retired_.reclaim_when_full();
        return is_new;
    }
    template <class Running>
    bool assign_boxed(Running& running, const K& key, std::uint64_t hash, owned<box>& fresh) {
        box* old = nullptr;
        {
            detail::read_section reading;
            entry* e = find(view().table(), key, hash);
            if (e != nullptr && e->swap(fresh.get(), old)) {
                fresh.release();
                return stored(old);
            }
        }
        guard_of<Running> guard(running, mutex_);
        entry* e = find(view().table(), key, hash);
        if (e != nullptr && e->expunged()) {
            put_into_dirty(running, key, hash, e);
            e->revive();
        } else if (e == nullptr) {
            e = find(dirty_.get(), key, hash);
        }
        if (e == nullptr) {
            auto made = detail::own_with<entry>(allocator_, allocator_);
            put_into_dirty(running, key, hash, made.get());
            e = made.release();
        }
        e->swap(fresh.get(), old);  // not expunged, nor will it be while we hold the mutex
        fresh.release();
        return stored(old);
    }

    template <class Running, class Q, class F>
    bool update_in(Running& running, const Q& key, F& f) {
        static_assert(std::is_copy_constructible_v<V>,
                      "sync_map's update works on a copy: the value must be copy constructible");
        const std::uint64_t hash = hash_of(key);
        const bool there = update_found(running, key, hash, f);
        retired_.reclaim_when_full();
        return there;
    }
    template <class Running, class Q, class F>
    bool update_found(Running& running, const Q& key, std::uint64_t hash, F& f) {
        {
            detail::read_section reading;
            const view_type now = view();
            entry* e = find(now.table(), key, hash);
            if (e != nullptr || !now.amended()) return e != nullptr && update_entry(*e, f);
        }
        guard_of<Running> guard(running, mutex_);
        detail::read_section reading;  // after the mutex, and longer than it: the entry stays
        const view_type now = view();
        entry* e = find(now.table(), key, hash);
        if (e == nullptr && now.amended()) {
            e = find(dirty_.get(), key, hash);
            missed();
        }
        guard.unlock();
        return e != nullptr && update_entry(*e, f);
    }
    // In a read section, in which no box seen can come back as another.
    template <class F>
    bool update_entry(entry& e, F& f) {
        while (box* seen = e.load()) {
            V value(std::as_const(seen->value));
            if (!detail::changed_by(f, value)) return true;
            auto fresh = detail::own_with<box>(allocator_, std::move(value));
            if (e.exchange(seen, fresh.get())) {
                fresh.release();
                retired_.retire(seen);
                return true;
            }
        }
        return false;
    }

    template <class Running, class F>
    bool upsert_in(Running& running, const K& key, V&& value, F& f) {
        static_assert(std::is_copy_constructible_v<V>,
                      "sync_map's upsert works on a copy: the value must be copy constructible");
        const std::uint64_t hash = hash_of(key);
        bool is_new = false;
        while (!try_upsert(running, key, hash, value, f, is_new)) {
        }
        retired_.reclaim_when_full();
        return is_new;
    }
    // False when the key was erased while f worked on its value.
    template <class Running, class F>
    bool try_upsert(Running& running, const K& key, std::uint64_t hash, V& value, F& f, bool& is_new) {
        {
            detail::read_section reading;
            entry* e = find(view().table(), key, hash);
            if (e != nullptr && update_entry(*e, f)) return true;
        }
        guard_of<Running> guard(running, mutex_);
        detail::read_section reading;  // after the mutex, and longer than it: the entry stays
        entry* e = find(view().table(), key, hash);
        const bool in_read = e != nullptr;
        if (!in_read) e = find(dirty_.get(), key, hash);
        // Nobody else gives the key a value: where it has no entry, or an expunged one, for want of the mutex.
        const bool usable = e != nullptr && !e->expunged();
        if (usable && !e->claim()) {
            if (!in_read) missed();
            guard.unlock();
            return update_entry(*e, f);
        }
        try {
            is_new = detail::changed_by(f, value);
            if (is_new) {
                auto fresh = detail::own_with<box>(allocator_, std::move(value));
                if (!usable) e = into_dirty(running, key, hash, e);
                e->fill(fresh.release());
                stored(nullptr);
            } else if (usable) {
                e->revive();
            }
        } catch (...) {
            if (usable) e->revive();
            throw;
        }
        return true;
    }

    template <class Running, class Q, class F>
    bool erase_in(Running& running, const Q& key, F&& f) {
        const std::uint64_t hash = hash_of(key);
        const bool erased = erase_entry(running, key, hash, f);
        retired_.reclaim_when_full();
        return erased;
    }
    template <class Running, class Q, class F>
    bool erase_entry(Running& running, const Q& key, std::uint64_t hash, F& f) {
        {
            detail::read_section reading;
            const view_type now = view();
            if (entry* e = find(now.table(), key, hash)) return take_out(*e, f);
            if (!now.amended()) return false;
        }
        guard_of<Running> guard(running, mutex_);
        const view_type now = view();
        if (entry* e = find(now.table(), key, hash)) return take_out(*e, f);
        if (!now.amended()) return false;
        entry* e = find(dirty_.get(), key, hash);
        bool there = false;
        if constexpr (!detail::asks_nothing<F>) {
            if (e != nullptr) there = take_out(*e, f);
            if (e != nullptr && e->load() != nullptr) e = nullptr;  // it stays; an empty one stays empty, by the mutex
        }
        if (e != nullptr) {
            detail::growth_tap tap(handle_, signs_, 0);
            dirty_->elements.erase(key, hash, tap);
            tap.tell(running);
            describe(*dirty_);
            there = erased(e->expunge()) || there;
            retired_.retire(e);
        }
        missed();
        return there;
    }
    // Takes the value out if f says so.
    template <class F>
    bool take_out(entry& e, F& f) {
        if constexpr (detail::asks_nothing<F>) return erased(e.erase());
        detail::read_section reading;  // in which no box seen can come back as another
        while (box* seen = e.load()) {
            if (!std::invoke(f, std::as_const(seen->value))) return false;
            if (e.exchange(seen, nullptr)) return erased(seen);
        }
        return false;
    }
    bool erased(box* old) noexcept {
        if (old == nullptr) return false;
        forget(old);
        return true;
    }

    // The functions below run under the mutex.

    // An expunged entry, or null for a new one; it stays without a value.
    template <class Running>
    entry* into_dirty(Running& running, const K& key, std::uint64_t hash, entry* e) {
        owned<entry> made(nullptr, {allocator_});
        if (e == nullptr) made = detail::own_with<entry>(allocator_, allocator_);
        put_into_dirty(running, key, hash, e == nullptr ? made.get() : e);
        return e == nullptr ? made.release() : e;
    }
    template <class Running>
    void put_into_dirty(Running& running, const K& key, std::uint64_t hash, entry* e) {
        if (dirty_ == nullptr) start_dirty();
        detail::growth_tap tap(handle_, signs_, 0);
        dirty_->elements.assign(key, std::move(e), hash, tap);
        tap.tell(running);
        describe(*dirty_);
    }
    detail::text_of<Allocator> name_;
    map_handle handle_;
};

}  // namespace mapaudit

#endif
