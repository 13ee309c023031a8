// SPDX-License-Identifier: Apache-2.0
#include "store.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <vector>

namespace kvd {
namespace {

constexpr std::int64_t longest_relative_s = std::int64_t{60} * 60 * 24 * 30;

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool out_of_memory(Outcome outcome) { return outcome == Outcome::no_memory; }
bool out_of_memory(const Counted& counted) { return out_of_memory(counted.outcome); }

}  // namespace

Store::Store(std::unique_ptr<Table> table, std::uint64_t memory_limit_bytes, const Clock& clock)
    : clock_(clock), budget_(memory_limit_bytes), table_(std::move(table)) {}

std::int64_t Store::expiry_of(std::int64_t exptime) const {
    if (exptime == 0) return Item::never;
    const std::int64_t now_ms = clock_.steady_ms();
    if (exptime < 0) return now_ms;
    return now_ms + exptime * 1000 - (exptime <= longest_relative_s ? 0 : clock_.unix_ms());
}

bool Store::alive(const Item& item) const {
    if (item.cas <= flushed_cas_.load(std::memory_order_acquire)) return false;
    return item.expires_ms == Item::never || item.expires_ms > clock_.steady_ms();
}

void Store::flush(std::int64_t exptime) {
    {
        const std::lock_guard lock(flush_mutex_);
        flush_due_ms_.store(exptime == 0 ? clock_.steady_ms() : expiry_of(exptime), std::memory_order_release);
    }
    apply_due_flush();
}

// Every command comes by here first: what was written before the time is dead, what is written after it is not.
void Store::apply_due_flush() {
    const auto due = [this] {
        const std::int64_t due_ms = flush_due_ms_.load(std::memory_order_acquire);
        return due_ms != Item::never && due_ms <= clock_.steady_ms();
    };
    if (!due()) [[likely]]
        return;
    // Looked at again with the lock held: once somebody has flushed, what is written next has a number of its own,
    // and a second flush up to that number would take it along.
    const std::lock_guard lock(flush_mutex_);
    if (!due()) return;
    flushed_cas_.store(last_cas_.load(std::memory_order_acquire), std::memory_order_release);
    flush_due_ms_.store(Item::never, std::memory_order_release);
}

std::unique_lock<std::mutex> Store::lock_for(const std::string& key) {
    // Bits of the hash that no map chooses a bucket by: what meets in a stripe need not meet in the map.
    const std::uint64_t mixed = std::hash<std::string>{}(key)*0x9E37'79B9'7F4A'7C15u;
    return std::unique_lock(stripes_[(mixed >> 40) % stripe_count].mutex);
}

ItemPtr Store::current(const std::string& key) {
    ItemPtr item = table_->find(key);
    if (item != nullptr && !alive(*item)) {
        table_->remove(key);
        item.reset();
    }
    return item;
}

bool Store::put(const std::string& key, std::uint32_t flags, std::int64_t expires_ms, std::string&& value,
                std::uint64_t cas) {
    auto charge = budget_.take(key.size() + value.size() + item_overhead_bytes);
    if (!charge) return false;
    if (cas == 0) cas = last_cas_.fetch_add(1, std::memory_order_acq_rel) + 1;
    table_->put(key, std::make_shared<const Item>(Item{flags, expires_ms, cas, std::move(value), std::move(*charge)}));
    return true;
}

// Tries again once when sweeping may have made room.
template <class Attempt>
auto Store::with_memory(Attempt attempt) {
    auto result = attempt();
    if (!out_of_memory(result)) return result;
    sweep();
    return attempt();
}

// What nobody comes upon any more would keep its memory for ever. At most one sweep at a time, and not more than one
// a second: a store that is full of living items is not to be walked by every write.
void Store::sweep() {
    const std::unique_lock sweeping(sweep_mutex_, std::try_to_lock);
    if (!sweeping || clock_.steady_ms() - swept_ms_ < sweep_pause_ms) return;
    swept_ms_ = clock_.steady_ms();
    std::vector<std::string> dead;
    table_->for_each([&](const std::string& key, const Item& item) {
        if (!alive(item)) dead.push_back(key);
    });
    for (const std::string& key : dead) {
        const auto lock = lock_for(key);
        current(key);
    }
    table_->reclaim();
}

ItemPtr Store::get(const std::string& key) {
    apply_due_flush();
    ItemPtr item = table_->find(key);
    if (item == nullptr || alive(*item)) return item;
    // Somebody may have written it since: looked at again with the stripe held, before it is erased.
    const auto lock = lock_for(key);
    return current(key);
}

Outcome Store::store(StoreMode mode, const std::string& key, Draft draft) {
    apply_due_flush();
    const Outcome outcome = with_memory([&] { return store_once(mode, key, draft); });
    // Better no value than one that the client believes replaced.
    if (outcome == Outcome::no_memory && mode == StoreMode::set) remove(key);
    return outcome;
}

Outcome Store::store_once(StoreMode mode, const std::string& key, Draft& draft) {
    const auto stored = [](bool had_memory) { return had_memory ? Outcome::done : Outcome::no_memory; };
    const std::int64_t expires_ms = expiry_of(draft.exptime);
    const auto lock = lock_for(key);
    if (mode == StoreMode::set) return stored(put(key, draft.flags, expires_ms, std::move(draft.value)));
    const ItemPtr old = current(key);
    switch (mode) {
        case StoreMode::add:
            if (old != nullptr) return Outcome::not_stored;
            break;
        case StoreMode::cas:
            if (old == nullptr) return Outcome::not_found;
            if (old->cas != draft.cas) return Outcome::exists;
            break;
        default:
            if (old == nullptr) return Outcome::not_stored;
    }
    if (mode != StoreMode::append && mode != StoreMode::prepend)
        return stored(put(key, draft.flags, expires_ms, std::move(draft.value)));
    if (old->value.size() + draft.value.size() > max_value_bytes) return Outcome::too_large;
    return stored(put(key, old->flags, old->expires_ms,
                      mode == StoreMode::append ? old->value + draft.value : draft.value + old->value));
}

Outcome Store::remove(const std::string& key) {
    apply_due_flush();
    const auto lock = lock_for(key);
    if (current(key) == nullptr) return Outcome::not_found;
    table_->remove(key);
    return Outcome::done;
}

template <class Change>
Counted Store::count(const std::string& key, Change change) {
    apply_due_flush();
    return with_memory([&]() -> Counted {
        const auto lock = lock_for(key);
        const ItemPtr old = current(key);
        if (old == nullptr) return {Outcome::not_found, 0};
        const auto number = number_in(old->value);
        if (!number) return {Outcome::not_numeric, 0};
        const std::uint64_t changed = change(*number);
        if (!put(key, old->flags, old->expires_ms, std::to_string(changed))) return {Outcome::no_memory, 0};
        return {Outcome::done, changed};
    });
}

Counted Store::add(const std::string& key, std::uint64_t delta) {
    return count(key, [delta](std::uint64_t number) { return number + delta; });
}

Counted Store::subtract(const std::string& key, std::uint64_t delta) {
    return count(key, [delta](std::uint64_t number) { return number - std::min(number, delta); });
}

// Keeps the item's cas number: its content is the same, and a flush that it was there at still concerns it.
Outcome Store::touch(const std::string& key, std::int64_t exptime) {
    apply_due_flush();
    return with_memory([&] {
        const std::int64_t expires_ms = expiry_of(exptime);
        const auto lock = lock_for(key);
        const ItemPtr old = current(key);
        if (old == nullptr) return Outcome::not_found;
        return put(key, old->flags, expires_ms, std::string(old->value), old->cas) ? Outcome::done : Outcome::no_memory;
    });
}

}  // namespace kvd
