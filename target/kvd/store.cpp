// SPDX-License-Identifier: Apache-2.0
#include "store.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <utility>
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

void Store::drop_dead(const std::string& key) {
    table_->erase_if(key, [this](const Item& item) { return !alive(item); });
}

std::shared_ptr<Item> Store::make_item(const std::string& key, std::uint32_t flags, std::int64_t expires_ms,
                                       std::string&& value) {
    auto charge = budget_.take(key.size() + value.size() + item_overhead_bytes);
    if (!charge) return nullptr;
    return std::make_shared<Item>(Item{flags, expires_ms, 0, std::move(value), std::move(*charge)});
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
    for (const std::string& key : dead) drop_dead(key);
    table_->reclaim();
}

ItemPtr Store::get(const std::string& key) {
    apply_due_flush();
    return living(key);
}

ItemPtr Store::living(const std::string& key) {
    ItemPtr item = table_->find(key);
    if (item != nullptr && !alive(*item)) {
        drop_dead(key);
        item.reset();
    }
    return item;
}

Outcome Store::store(StoreMode mode, const std::string& key, Draft draft) {
    apply_due_flush();
    const Outcome outcome = with_memory([&] { return store_once(mode, key, draft); });
    if (outcome == Outcome::done) writes_.fetch_add(1, std::memory_order_relaxed);
    // Better no value than one that the client believes replaced.
    if (outcome == Outcome::no_memory && mode == StoreMode::set) remove(key);
    return outcome;
}

Outcome Store::store_once(StoreMode mode, const std::string& key, Draft& draft) {
    if (mode == StoreMode::append || mode == StoreMode::prepend) return extend(mode, key, draft.value);
    const auto fresh = make_item(key, draft.flags, expiry_of(draft.exptime), std::move(draft.value));
    if (fresh == nullptr) return Outcome::no_memory;
    if (mode == StoreMode::set || mode == StoreMode::add) return insert(mode, key, fresh);
    return replace(mode, key, draft.cas, fresh);
}

Outcome Store::insert(StoreMode mode, const std::string& key, const std::shared_ptr<Item>& fresh) {
    Outcome outcome{};
    ItemPtr old;  // destroyed after the map's operation
    const auto change = [&](ItemPtr& there) {
        outcome = mode == StoreMode::add && there != nullptr && alive(*there) ? Outcome::not_stored : Outcome::done;
        if (outcome != Outcome::done) return false;
        fresh->cas = next_cas();
        old = std::exchange(there, fresh);
        return true;
    };
    table_->upsert(key, std::ref(change));
    return outcome;
}

Outcome Store::replace(StoreMode mode, const std::string& key, std::uint64_t cas, const std::shared_ptr<Item>& fresh) {
    const Outcome missing = mode == StoreMode::cas ? Outcome::not_found : Outcome::not_stored;
    Outcome outcome{};
    ItemPtr old;
    const auto change = [&](ItemPtr& there) {
        fresh->cas = next_cas();
        outcome = !alive(*there)                                ? missing
                  : mode == StoreMode::cas && there->cas != cas ? Outcome::exists
                                                                : Outcome::done;
        if (outcome == Outcome::done) old = std::exchange(there, fresh);
        return outcome == Outcome::done;
    };
    if (!table_->update(key, std::ref(change))) return missing;
    if (outcome == missing) drop_dead(key);
    return outcome;
}

Outcome Store::extend(StoreMode mode, const std::string& key, const std::string& value) {
    for (;;) {
        const ItemPtr seen = living(key);
        if (seen == nullptr) return Outcome::not_stored;
        if (seen->value.size() + value.size() > max_value_bytes) return Outcome::too_large;
        const auto fresh = make_item(key, seen->flags, seen->expires_ms,
                                     mode == StoreMode::append ? seen->value + value : value + seen->value);
        if (fresh == nullptr) return Outcome::no_memory;
        const auto renumber = [&] { fresh->cas = next_cas(); };
        if (exchange(key, seen, renumber, fresh)) return Outcome::done;
    }
}

template <class Number>
bool Store::exchange(const std::string& key, const ItemPtr& seen, Number number, const std::shared_ptr<Item>& fresh) {
    bool done = false;
    const auto change = [&](ItemPtr& there) {
        number();
        done = there == seen && alive(*there);
        if (done) there = fresh;
        return done;
    };
    return table_->update(key, std::ref(change)) && done;
}

Outcome Store::remove(const std::string& key) {
    apply_due_flush();
    bool lived = false;
    const auto goes = [&](const Item& item) {
        lived = alive(item);
        return true;
    };
    return table_->erase_if(key, std::ref(goes)) && lived ? Outcome::done : Outcome::not_found;
}

template <class Change>
Counted Store::count(const std::string& key, Change changed) {
    apply_due_flush();
    const Counted counted = with_memory([&] { return count_once(key, changed); });
    if (counted.outcome == Outcome::done) writes_.fetch_add(1, std::memory_order_relaxed);
    return counted;
}

template <class Change>
Counted Store::count_once(const std::string& key, Change changed) {
    Counted counted{};
    ItemPtr old;
    const auto change = [&](ItemPtr& there) {
        const std::uint64_t cas = next_cas();
        counted = {Outcome::not_found, 0};
        if (!alive(*there)) return false;
        const auto number = number_in(there->value);
        counted = {Outcome::not_numeric, 0};
        if (!number) return false;
        const std::uint64_t sum = changed(*number);
        const auto fresh = make_item(key, there->flags, there->expires_ms, std::to_string(sum));
        counted = {Outcome::no_memory, 0};
        if (fresh == nullptr) return false;
        fresh->cas = cas;
        old = std::exchange(there, fresh);
        counted = {Outcome::done, sum};
        return true;
    };
    if (!table_->update(key, std::ref(change))) return {Outcome::not_found, 0};
    if (counted.outcome == Outcome::not_found) drop_dead(key);
    return counted;
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
    const std::int64_t expires_ms = expiry_of(exptime);
    return with_memory([&] {
        for (;;) {
            const ItemPtr seen = living(key);
            if (seen == nullptr) return Outcome::not_found;
            const auto fresh = make_item(key, seen->flags, expires_ms, std::string(seen->value));
            if (fresh == nullptr) return Outcome::no_memory;
            fresh->cas = seen->cas;
            if (exchange(
                    key, seen, [] {}, fresh))
                return Outcome::done;
        }
    });
}

}  // namespace kvd
