// SPDX-License-Identifier: Apache-2.0
//
// What sync_map's two parts are made of: the entry that both share, and the table with the mark that goes with its
// address. sync_map.hpp has the rules.
#ifndef MAPAUDIT_DETAIL_SYNC_ENTRY_HPP
#define MAPAUDIT_DETAIL_SYNC_ENTRY_HPP

#include <atomic>
#include <cstdint>
#include <utility>

#include <mapaudit/detail/go_cursor.hpp>
#include <mapaudit/detail/reclaim.hpp>

namespace mapaudit::detail {

// A key's place for its value. Every exchange is acq_rel: a box is whole before it can be seen, and who takes one out
// may look into it.
template <class V, class Allocator>
class sync_entry : public retirable_of<sync_entry<V, Allocator>, Allocator> {
public:
    struct box : retirable_of<box, Allocator> {
        explicit box(V&& v) : value(std::move(v)) {}
        const V value;
    };

    explicit sync_entry(const Allocator& allocator) noexcept : allocator_(allocator) {}
    ~sync_entry() {
        if (box* last = load()) destroy_with(allocator_, last);
    }

    // Null when erased, in either way. To be looked into in a read section.
    box* load() const noexcept {
        box* seen = box_.load(std::memory_order_acquire);
        return seen == gone() ? nullptr : seen;
    }
    bool expunged() const noexcept { return box_.load(std::memory_order_acquire) == gone(); }

    // False when expunged. `old` is what was there, null if nothing.
    bool swap(box* fresh, box*& old) noexcept {
        old = box_.load(std::memory_order_relaxed);
        do
            if (old == gone()) return false;
        while (!box_.compare_exchange_weak(old, fresh, std::memory_order_acq_rel, std::memory_order_relaxed));
        return true;
    }
    // From what was seen there to another; false when it has changed since.
    bool exchange(box* seen, box* fresh) noexcept {
        return box_.compare_exchange_strong(seen, fresh, std::memory_order_acq_rel, std::memory_order_relaxed);
    }
    // What was there, null if nothing.
    box* erase() noexcept {
        box* old = box_.load(std::memory_order_relaxed);
        do
            if (old == nullptr || old == gone()) return nullptr;
        while (!box_.compare_exchange_weak(old, nullptr, std::memory_order_acq_rel, std::memory_order_relaxed));
        return old;
    }
    // Whatever was there, for good; returns the box.
    box* expunge() noexcept {
        box* old = box_.exchange(gone(), std::memory_order_acq_rel);
        return old == gone() ? nullptr : old;
    }
    // True when there is no value: then it is expunged.
    bool expunge_if_erased() noexcept {
        box* seen = nullptr;
        return box_.compare_exchange_strong(seen, gone(), std::memory_order_acq_rel, std::memory_order_acquire) ||
               seen == gone();
    }
    // By the mutex's holder, who has put it into the dirty part.
    void revive() noexcept { box_.store(nullptr, std::memory_order_release); }
    // From erased to expunged, also in the dirty part, by the mutex's holder: nobody else gives it a value until fill()
    // or revive(). False when it has one.
    bool claim() noexcept { return exchange(nullptr, gone()); }
    void fill(box* fresh) noexcept { box_.store(fresh, std::memory_order_release); }

private:
    // No object has this address: it is no multiple of a box's alignment.
    static box* gone() noexcept { return reinterpret_cast<box*>(std::uintptr_t{1}); }

    std::atomic<box*> box_ = nullptr;
    [[no_unique_address]] Allocator allocator_;
};

// A table of entries, which it does not own.
template <class Table, class Allocator>
class sync_part : public retirable_of<sync_part<Table, Allocator>, Allocator> {
public:
    sync_part(std::size_t reserve, const Allocator& allocator) : elements(reserve, allocator) {}

    // How much to reserve for as many buckets as another part has.
    static std::size_t room_of(const sync_part& other) noexcept {
        const std::uint64_t buckets = other.elements.bucket_count();
        return buckets == 1 ? slots_per_bucket : 13 * (buckets / 2);
    }
    template <class F>
    void each_element(F&& f) const {
        typename Table::cursor cursor(elements);
        while (const auto* found = cursor.next()) f(found->key, *found->value);
    }
    template <class F>
    void each(F&& f) const {
        each_element([&](const auto&, auto& e) { f(e); });
    }

    Table elements;
};

// A part's address and, in its lowest bit, whether the dirty part has keys that this one lacks: one atomic word, since
// the mark is about that very part.
template <class Part>
class sync_view {
public:
    sync_view() = default;
    sync_view(Part* part, bool amended) noexcept
        : word_(reinterpret_cast<std::uintptr_t>(part) | (amended ? 1u : 0u)) {}
    Part* table() const noexcept { return reinterpret_cast<Part*>(word_ & ~std::uintptr_t{1}); }
    bool amended() const noexcept { return (word_ & 1) != 0; }

private:
    std::uintptr_t word_ = 0;
};

}  // namespace mapaudit::detail

#endif
