// SPDX-License-Identifier: Apache-2.0
//
// sync_map's read-only part and dirty part, and how the one becomes the other. sync_map.hpp has the rules.
#ifndef MAPAUDIT_DETAIL_SYNC_PARTS_HPP
#define MAPAUDIT_DETAIL_SYNC_PARTS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <mapaudit/detail/allocation.hpp>
#include <mapaudit/detail/go_cursor.hpp>
#include <mapaudit/detail/go_table.hpp>
#include <mapaudit/detail/lock_notes.hpp>
#include <mapaudit/detail/reclaim.hpp>
#include <mapaudit/detail/sync_entry.hpp>
#include <mapaudit/detail/vital_signs.hpp>

namespace mapaudit::detail {

// A base, so that the map's operations name the parts as their own.
template <class K, class V, class Hash, class Equal, class Allocator>
class sync_parts {
protected:
    using entry = sync_entry<V, Allocator>;
    using box = typename entry::box;
    using table = go_table<K, entry*, Hash, Equal, Allocator>;
    using part = sync_part<table, Allocator>;
    using lock = owned_lock<std::mutex>;
    using view_type = sync_view<part>;

    sync_parts(std::size_t reserve, const Allocator& allocator)
        : hashing_(0, allocator),
          allocator_(allocator),
          read_(view_type(new_part(reserve).release(), false)),
          dirty_(nullptr, {allocator}),
          retired_(allocator) {
        describe(*read_.load(std::memory_order_relaxed).table());
    }
    sync_parts(const sync_parts&) = delete;
    sync_parts& operator=(const sync_parts&) = delete;
    ~sync_parts() {
        part* read = read_.load(std::memory_order_relaxed).table();
        // Entries of both parts once: the dirty one has all but the expunged.
        if (dirty_ != nullptr) {
            read->each([this](entry& e) {
                if (e.expunged()) destroy_with(allocator_, &e);
            });
            dirty_->each([this](entry& e) { destroy_with(allocator_, &e); });
        } else {
            read->each([this](entry& e) { destroy_with(allocator_, &e); });
        }
        destroy_with(allocator_, read);
    }

    owned<part, Allocator> new_part(std::size_t reserve) const {
        return own_with<part>(allocator_, reserve, allocator_);
    }
    view_type view() const noexcept { return read_.load(std::memory_order_acquire); }
    template <class Q>
    std::uint64_t hash_of(const Q& key) const {
        return hashing_.hash_of(key);
    }

    template <class Q>
    static entry* find(const part* in, const Q& key, std::uint64_t hash) {
        entry* const* found = in == nullptr ? nullptr : in->elements.find(key, hash);
        return found == nullptr ? nullptr : *found;
    }
    // Under the mutex: `newest` is the part that insertions go to.
    void describe(const part& newest) const noexcept { signs_.describe_buckets(newest.elements); }
    void forget(box* value) noexcept {
        vital_signs::take(signs_.size, 1);
        retired_.retire(value);
    }
    // After a swap that succeeded: was the key new?
    bool stored(box* old) noexcept {
        if (old != nullptr)
            retired_.retire(old);
        else
            vital_signs::add(signs_.size, 1);
        return old == nullptr;
    }

    // The functions below run under the mutex.

    // Empties both parts. Keeps the buckets.
    void replace_all() {
        part* old = view().table();
        auto fresh = new_part(part::room_of(dirty_ != nullptr ? *dirty_ : *old));
        read_.store(view_type(fresh.get(), false), std::memory_order_release);
        // What is retired here may be reclaimed by another thread, while the dirty part still leads to it.
        read_section reading;
        const auto drop = [this](entry& e) {
            if (box* value = e.expunge()) forget(value);
            retired_.retire(&e);
        };
        old->each(drop);
        if (dirty_ != nullptr)
            dirty_->each([&](entry& e) {
                if (!e.expunged()) drop(e);  // it was in the dirty part only
            });
        retired_.retire(old);
        if (dirty_ != nullptr) retired_.retire(dirty_.release());
        describe(*fresh.release());  // readers have it since the store above, and nobody else lets go of it
        misses_ = 0;
    }
    // What throws leaves entries expunged without a dirty part, which is as good as erased.
    void start_dirty() {
        part* read = view().table();
        auto fresh = new_part(part::room_of(*read));
        read->each_element([&](const K& key, entry& e) {
            if (e.expunge_if_erased()) return;
            entry* shared = &e;
            fresh->elements.assign(key, std::move(shared), hash_of(key), silent_observer{});
        });
        dirty_ = std::move(fresh);
        misses_ = 0;
        read_.store(view_type(read, true), std::memory_order_release);
    }
    void missed() const noexcept {
        if (++misses_ >= dirty_->elements.size()) promote();
    }
    void promote() const noexcept {
        part* old = view().table();
        describe(*dirty_);
        read_.store(view_type(dirty_.release(), false), std::memory_order_release);
        misses_ = 0;
        // Its other entries are in the new part as well.
        old->each([this](entry& e) {
            if (e.expunged()) retired_.retire(&e);
        });
        retired_.retire(old);
    }

    table hashing_;  // empty: for the hash that tables use
    [[no_unique_address]] Allocator allocator_;
    alignas(64) mutable std::atomic<view_type> read_;
    alignas(64) mutable lock mutex_;
    mutable owned<part, Allocator> dirty_;
    mutable std::size_t misses_ = 0;
    mutable vital_signs signs_;
    mutable reclaimer<Allocator> retired_;
};

}  // namespace mapaudit::detail

#endif
