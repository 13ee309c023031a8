// SPDX-License-Identifier: Apache-2.0
//
// memcached's commands on a map. No sockets, no protocol.
//
// Atomicity. What a command sees of an item decides whether it inserts, replaces or erases it, and it looks and writes
// in one operation of the map: upsert, update or erase_if. No lock of the store's own stands round them: who waits does
// so at the map's, and is in the report. append, prepend and touch copy the value, which is not to be done under a
// lock: they look it up, and their update leaves the item alone, to begin anew, when it is another one by then.
//
// Order. Each item has a number, taken inside the map's operation: a later write's is greater. A flush takes along what
// has a number up to the last one taken. So who replaces a living item first takes its number and then looks whether
// that item lives: the other way round, a flush between the two would spare what came of it.
//
// What has expired, or was there at a flush, is not found from that moment on. It leaves the map when a command comes
// upon it, or when a write finds no memory: then all that is dead goes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "clock.hpp"
#include "item.hpp"
#include "table.hpp"

namespace kvd {

enum class StoreMode { set, add, replace, append, prepend, cas };

enum class Outcome {
    done,        // stored, deleted, touched, counted
    not_stored,  // add of a key that is there; replace, append, prepend of one that is not
    exists,      // cas: written by somebody since
    not_found,
    too_large,    // append, prepend: the value would be more than max_value_bytes
    not_numeric,  // incr, decr of what is no unsigned decimal number
    no_memory,
};

// What a command brings along. append and prepend use the value alone.
struct Draft {
    std::uint32_t flags = 0;
    std::int64_t exptime = 0;  // seconds as in the protocol: see Store::expiry_of
    std::string value;
    std::uint64_t cas = 0;  // StoreMode::cas: of the item to be replaced
};

struct Counted {
    Outcome outcome;
    std::uint64_t value;  // the new one when done
};

// Thread safety: any number of threads.
class Store {
public:
    // Beside key and value: the item, its reference count, its slot in the map, allocators' heads. An estimate.
    static constexpr std::size_t item_overhead_bytes = 160;

    // `clock` outlives the store.
    Store(std::unique_ptr<Table> table, std::uint64_t memory_limit_bytes, const Clock& clock);

    ItemPtr get(const std::string& key);  // null when there is none
    Outcome store(StoreMode mode, const std::string& key, Draft draft);
    Outcome remove(const std::string& key);
    // incr wraps at 2^64, decr stops at 0.
    Counted add(const std::string& key, std::uint64_t delta);
    Counted subtract(const std::string& key, std::uint64_t delta);
    Outcome touch(const std::string& key, std::int64_t exptime);
    // All that is there at that time (0: now) is gone from then on; replaces a flush that is still to come.
    void flush(std::int64_t exptime = 0);

    // Also what has expired and not left yet.
    std::size_t items() const { return table_->size(); }
    std::size_t buckets() const { return table_->buckets(); }
    std::uint64_t grows() const { return table_->grows(); }
    std::uint64_t bytes() const noexcept { return budget_.used(); }
    std::uint64_t memory_limit_bytes() const noexcept { return budget_.limit(); }
    // That were done so far, but for touch.
    std::uint64_t writes() const noexcept { return writes_.load(std::memory_order_relaxed); }

private:
    // 0: never. Negative: already. Up to 30 days: from now. More: Unix time.
    std::int64_t expiry_of(std::int64_t exptime) const;
    bool alive(const Item& item) const;
    void apply_due_flush();
    std::uint64_t next_cas() { return last_cas_.fetch_add(1, std::memory_order_acq_rel) + 1; }
    // Null when there is none; a dead one leaves.
    ItemPtr living(const std::string& key);
    void drop_dead(const std::string& key);
    // Not in the map yet, without a number. Null when there is no memory for it; the value is then left alone.
    std::shared_ptr<Item> make_item(const std::string& key, std::uint32_t flags, std::int64_t expires_ms,
                                    std::string&& value);
    Outcome store_once(StoreMode mode, const std::string& key, Draft& draft);
    Outcome insert(StoreMode mode, const std::string& key, const std::shared_ptr<Item>& fresh);
    Outcome replace(StoreMode mode, const std::string& key, std::uint64_t cas, const std::shared_ptr<Item>& fresh);
    Outcome extend(StoreMode mode, const std::string& key, const std::string& value);
    // Puts `fresh`, numbered by number(), in the place of that very item; false when it is no longer there, or dead.
    template <class Number>
    bool exchange(const std::string& key, const ItemPtr& seen, Number number, const std::shared_ptr<Item>& fresh);
    template <class Change>
    Counted count(const std::string& key, Change changed);
    template <class Change>
    Counted count_once(const std::string& key, Change changed);
    template <class Attempt>
    auto with_memory(Attempt attempt);
    void sweep();

    const Clock& clock_;
    MemoryBudget budget_;  // before the table, whose items give back to it
    std::unique_ptr<Table> table_;
    std::atomic<std::uint64_t> writes_ = 0;
    std::atomic<std::uint64_t> last_cas_ = 0;
    std::atomic<std::uint64_t> flushed_cas_ = 0;            // items up to this are dead
    std::atomic<std::int64_t> flush_due_ms_ = Item::never;  // a flush still to come
    std::mutex flush_mutex_;                                // of those who change the two above
    std::mutex sweep_mutex_;
    std::int64_t swept_ms_ = -sweep_pause_ms;  // under sweep_mutex_
    static constexpr std::int64_t sweep_pause_ms = 1000;
};

}  // namespace kvd
