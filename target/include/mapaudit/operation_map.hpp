// SPDX-License-Identifier: Apache-2.0
//
// operation_map: operations that can be cancelled (std::stop_token), that give up at a deadline, and that a circuit
// breaker refuses for a while after too many gave up in a row. One lock whose wait can end early, round a go_table.
//
//   Update       update()'s and upsert()'s f works in place, erase_if()'s looks, with the lock held; neither may call
//                the map (deadlock). What it throws leaves the value as f left it.
//   Outcome      try_assign, try_lookup, try_update, try_erase say how they ended (`attempt`). One that did not reach
//                `done` has changed nothing. A limit is looked at before the operation and while it waits for the lock;
//                once the lock is taken, the operation is carried out.
//   Breaker      counts time-outs in a row; cancellations say nothing about the map. While it is open, attempts with a
//                limit are refused without waiting; when the pause is over, one is let through, and its success closes
//                the breaker. Operations without limits (all the others) wait as long as it takes.
//   Audit        every attempt that was admitted is one audited operation, also one that gave up: its latency is the
//                wait. A refused one is none.
//   Progress     blocking; one operation at a time, readers too.
//   Consistency  linearizable, size() and clear() included.
//   for_each     holds the lock throughout: one consistent state. Its callback and visit()'s must not call the map.
//   Growth       under the lock, a bucket or two a write.
//   Memory       the allocator's, but for the mutex of the lock's condition variable: the standard library's own.
//   Exceptions   assign is strong, but for an overwritten value, which is as good as V's move assignment leaves it.
#ifndef MAPAUDIT_OPERATION_MAP_HPP
#define MAPAUDIT_OPERATION_MAP_HPP

#include <chrono>
#include <stop_token>

#include <mapaudit/detail/audited_map.hpp>
#include <mapaudit/detail/breaker.hpp>
#include <mapaudit/detail/gate.hpp>
#include <mapaudit/detail/go_cursor.hpp>
#include <mapaudit/detail/growth_tap.hpp>
#include <mapaudit/detail/lock_access.hpp>

namespace mapaudit {

// How an attempt ended.
enum class attempt : std::uint8_t { done, cancelled, timed_out, refused };

// What may end an attempt early. Neither: it waits as long as it takes, and the breaker may still refuse it.
struct operation_limits {
    std::stop_token stop{};
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct breaker_settings {
    std::uint32_t failures = 0;  // time-outs in a row that open it; 0: never
    std::chrono::nanoseconds pause = std::chrono::seconds(1);
};

// An attempt's end and, when it is `done`, what the operation returned.
template <class Result>
struct attempted {
    attempt how = attempt::done;
    Result result{};
    explicit operator bool() const noexcept { return how == attempt::done; }
};

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class operation_map
    : public detail::audited_map<operation_map<K, V, Hash, Equal, Allocator>, K, V, Hash, Equal, Allocator> {
    static_assert(std::is_move_assignable_v<V>,
                  "operation_map overwrites values in place: they must be move assignable");
    using base = detail::audited_map<operation_map, K, V, Hash, Equal, Allocator>;
    friend base;
    using table = detail::go_table<K, V, Hash, Equal, Allocator>;
    using gate = detail::owned_lock<detail::gate>;
    using clock = std::chrono::steady_clock;

public:
    static constexpr std::string_view kind = "operation_map";
    static constexpr bool concurrent = true;

    explicit operation_map(std::string_view name = {}, std::size_t reserve = 0, const breaker_settings& settings = {},
                           const Allocator& allocator = Allocator())
        : name_(name, allocator),
          elements_(reserve, allocator),
          breaker_(settings.failures, settings.pause.count()),
          handle_(kind, name, signs_.published()) {
        signs_.describe(elements_);
    }

    // `value` is consumed only by an attempt that is done.
    attempted<bool> try_assign(const K& key, V&& value, const operation_limits& limits) {
        return run<op::assign, bool>(limits, [&](auto& running) { return put(running, key, std::move(value)); });
    }
    attempted<std::optional<V>> try_lookup(const K& key,
                                           const operation_limits& limits) const requires std::copy_constructible<V> {
        return try_find(key, limits);
    }
    template <detail::foreign_key<K, Hash, Equal> Q>
    attempted<std::optional<V>> try_lookup(const Q& key,
                                           const operation_limits& limits) const requires std::copy_constructible<V> {
        return try_find(key, limits);
    }
    // The result says whether the key was there. A K, as in try_assign.
    template <class F>
    attempted<bool> try_update(const K& key, F&& f, const operation_limits& limits) {
        return run<op::assign, bool>(limits, [&](auto& running) { return change(running, key, f); });
    }
    attempted<bool> try_erase(const K& key, const operation_limits& limits) { return try_drop(key, limits); }
    template <detail::foreign_key<K, Hash, Equal> Q>
    attempted<bool> try_erase(const Q& key, const operation_limits& limits) {
        return try_drop(key, limits);
    }

    // Does the breaker refuse attempts at present?
    bool breaker_open() const noexcept { return breaker_.open(); }

private:
    template <op Op, class Result, class Work>
    attempted<Result> run(const operation_limits& limits, Work work) const {
        const auto now_ns = [] { return std::chrono::nanoseconds(clock::now().time_since_epoch()).count(); };
        if (!breaker_.admits(now_ns())) return {attempt::refused, {}};
        attempted<Result> ended = audit<Op>(handle_, [&](auto& running) -> attempted<Result> {
            detail::limited_gate<gate> limited(gate_, limits.stop, limits.deadline);
            running.lock(limited);
            if (!limited.taken()) {
                running.unlock(limited);
                return {limits.stop.stop_requested() ? attempt::cancelled : attempt::timed_out, {}};
            }
            detail::left_with<std::remove_reference_t<decltype(running)>, detail::limited_gate<gate>> leave{running,
                                                                                                            limited};
            return {attempt::done, work(running)};
        });
        if (ended.how == attempt::done) breaker_.succeeded();
        if (ended.how == attempt::timed_out) breaker_.failed(now_ns());
        return ended;
    }

    template <class Q>
    attempted<std::optional<V>> try_find(const Q& key, const operation_limits& limits) const {
        return run<op::lookup, std::optional<V>>(limits, [&](auto&) -> std::optional<V> {
            const V* value = elements_.find(key, elements_.hash_of(key));
            return value == nullptr ? std::nullopt : std::optional<V>(*value);
        });
    }
    template <class Q>
    attempted<bool> try_drop(const Q& key, const operation_limits& limits) {
        return run<op::erase, bool>(limits, [&](auto& running) { return drop(running, key); });
    }

    template <class F>
    void each_element(F& f) const {
        detail::whole_map_guard<gate, false> guard(gate_, handle_.id());
        typename table::cursor cursor(elements_);
        while (const auto* found = cursor.next()) std::invoke(f, found->key, found->value);
    }
    void clear_elements() {
        detail::whole_map_guard<gate, false> guard(gate_, handle_.id());
        elements_.clear();
        signs_.describe(elements_);
    }
    detail::map_totals totals() const noexcept { return signs_.totals(); }
    template <class Running, class Q, class F>
    bool visit_in(Running& running, const Q& key, F& f) const {
        const std::uint64_t hash = elements_.hash_of(key);
        detail::running_guard<Running, gate, false> guard(running, gate_);
        const V* value = elements_.find(key, hash);
        if (value == nullptr) return false;
        std::invoke(f, *value);
        return true;
    }
    template <class Running>
    bool assign_in(Running& running, const K& key, V&& value) {
        detail::running_guard<Running, gate, false> guard(running, gate_);
        return put(running, key, std::move(value));
    }
    template <class Running, class Q, class F>
    bool update_in(Running& running, const Q& key, F& f) {
        detail::running_guard<Running, gate, false> guard(running, gate_);
        return change(running, key, f);
    }
    template <class Running, class F>
    bool upsert_in(Running& running, const K& key, V&& value, F& f) {
        detail::running_guard<Running, gate, false> guard(running, gate_);
        return written(running, [&](auto& tap) {
            return elements_.upsert(key, std::move(value), f, elements_.hash_of(key), tap);
        });
    }
    template <class Running, class Q, class F>
    bool erase_in(Running& running, const Q& key, F&& f) {
        detail::running_guard<Running, gate, false> guard(running, gate_);
        if constexpr (detail::asks_nothing<F>)
            return drop(running, key);
        else
            return written(running, [&](auto& tap) { return elements_.erase_if(key, f, elements_.hash_of(key), tap); });
    }

    // The functions below run with the gate held.
    template <class Running, class Write>
    [[gnu::always_inline]] bool written(Running& running, Write write) {
        detail::growth_tap tap(handle_, signs_, 0);
        const bool result = write(tap);
        tap.tell(running);
        signs_.describe(elements_);
        return result;
    }
    template <class Running>
    bool put(Running& running, const K& key, V&& value) {
        return written(running,
                       [&](auto& tap) { return elements_.assign(key, std::move(value), elements_.hash_of(key), tap); });
    }
    template <class Running, class Q, class F>
    bool change(Running& running, const Q& key, F& f) {
        return written(running, [&](auto& tap) { return elements_.update(key, f, elements_.hash_of(key), tap); });
    }
    template <class Running, class Q>
    bool drop(Running& running, const Q& key) {
        return written(running, [&](auto& tap) { return elements_.erase(key, elements_.hash_of(key), tap); });
    }

    detail::text_of<Allocator> name_;
    mutable gate gate_;
    table elements_;
    detail::vital_signs signs_;
    mutable detail::breaker breaker_;
    map_handle handle_;
};

}  // namespace mapaudit

#endif
