// SPDX-License-Identifier: Apache-2.0
//
// Any map with the standard's interface, audited:
//
//   mapaudit::audited<std::unordered_map<std::string, int>> sessions{"sessions"};
//   mapaudit::audited<std::map<int, int>> ordered{"ordered", compare};   // what follows the name goes to the map
//
// Calls are the wrapped map's own, with its arguments, results, guarantees and locking (none). What may insert
// (insert, emplace, try_emplace, insert_or_assign, operator[]) is audited as assign, what removes as erase, what
// searches (find, count, contains, at, lower_bound, …) as lookup. Iterating, sizes and clear are not operations.
// A bucket count that changes during an assign is reported as a growth that lasted as long as the operation; it and the
// size are known outside as of the last operation that was listened to, since they have no address to read them from.
#ifndef MAPAUDIT_AUDITED_HPP
#define MAPAUDIT_AUDITED_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mapaudit/detail/type_name.hpp>
#include <mapaudit/scope.hpp>

namespace mapaudit {

template <class Map>
class audited {
    static_assert(
        requires {
            typename Map::key_type;
            typename Map::mapped_type;
            typename Map::const_iterator;
        },
        "audited<Map> wraps a map with the standard's interface; put a mapaudit::scope into one of another");

public:
    using map_type = Map;
    using key_type = typename Map::key_type;
    using mapped_type = typename Map::mapped_type;
    using value_type = typename Map::value_type;
    using size_type = typename Map::size_type;
    using iterator = typename Map::iterator;
    using const_iterator = typename Map::const_iterator;

    // The wrapped template's name: "unordered_map", "map", "flat_hash_map".
    static constexpr std::string_view kind = detail::template_name<Map>();

    template <class... Args>
        requires std::constructible_from<Map, Args...>
    explicit audited(std::string_view name = {}, Args&&... args)
        : map_(std::forward<Args>(args)...), handle_(kind, name, {.size = {&seen_size_}, .buckets = {&seen_buckets_}}) {
        publish();
    }
    audited(const audited&) = delete;
    audited& operator=(const audited&) = delete;

    // ---- audited as assign ----
    auto insert(const value_type& value) {
        return assigning([&](Map& m) { return m.insert(value); });
    }
    auto insert(value_type&& value) {
        return assigning([&](Map& m) { return m.insert(std::move(value)); });
    }
    template <class P>
        requires std::constructible_from<value_type, P&&>
    auto insert(P&& value) {
        return assigning([&](Map& m) { return m.insert(std::forward<P>(value)); });
    }
    // Each element is an operation of its own.
    template <class It>
    void insert(It first, It last) {
        for (; first != last; ++first) insert(*first);
    }
    void insert(std::initializer_list<value_type> values) { insert(values.begin(), values.end()); }
    template <class... Args>
    auto emplace(Args&&... args) {
        return assigning([&](Map& m) { return m.emplace(std::forward<Args>(args)...); });
    }
    template <class... Args>
    auto try_emplace(const key_type& key, Args&&... args) {
        return assigning([&](Map& m) { return m.try_emplace(key, std::forward<Args>(args)...); });
    }
    template <class... Args>
    auto try_emplace(key_type&& key, Args&&... args) {
        return assigning([&](Map& m) { return m.try_emplace(std::move(key), std::forward<Args>(args)...); });
    }
    template <class V>
    auto insert_or_assign(const key_type& key, V&& value) {
        return assigning([&](Map& m) { return m.insert_or_assign(key, std::forward<V>(value)); });
    }
    template <class V>
    auto insert_or_assign(key_type&& key, V&& value) {
        return assigning([&](Map& m) { return m.insert_or_assign(std::move(key), std::forward<V>(value)); });
    }
    mapped_type& operator[](const key_type& key) {
        return assigning([&](Map& m) -> mapped_type& { return m[key]; });
    }
    mapped_type& operator[](key_type&& key) {
        return assigning([&](Map& m) -> mapped_type& { return m[std::move(key)]; });
    }

    // ---- audited as erase ----
    size_type erase(const key_type& key) {
        return erasing([&](Map& m) { return m.erase(key); });
    }
    decltype(auto) erase(const_iterator position) {
        return erasing([&](Map& m) -> decltype(auto) { return m.erase(position); });
    }
    decltype(auto) erase(iterator position) requires(!std::same_as<iterator, const_iterator>) {
        return erasing([&](Map& m) -> decltype(auto) { return m.erase(position); });
    }
    auto erase(const_iterator first, const_iterator last) {
        return erasing([&](Map& m) { return m.erase(first, last); });
    }
    auto extract(const key_type& key) {
        return erasing([&](Map& m) { return m.extract(key); });
    }

    // ---- audited as lookup; a key of another type where the map takes one ----
    template <class K = key_type>
    iterator find(const K& key) {
        return searching(map_, [&](Map& m) { return m.find(key); });
    }
    template <class K = key_type>
    const_iterator find(const K& key) const {
        return searching(map_, [&](const Map& m) { return m.find(key); });
    }
    template <class K = key_type>
    size_type count(const K& key) const {
        return searching(map_, [&](const Map& m) { return m.count(key); });
    }
    template <class K = key_type>
    bool contains(const K& key) const {
        return searching(map_, [&](const Map& m) { return m.contains(key); });
    }
    template <class K = key_type>
    mapped_type& at(const K& key) {
        return searching(map_, [&](Map& m) -> mapped_type& { return m.at(key); });
    }
    template <class K = key_type>
    const mapped_type& at(const K& key) const {
        return searching(map_, [&](const Map& m) -> const mapped_type& { return m.at(key); });
    }
    template <class K = key_type>
    auto equal_range(const K& key) const {
        return searching(map_, [&](const Map& m) { return m.equal_range(key); });
    }
    template <class K = key_type>
    auto lower_bound(const K& key) const {
        return searching(map_, [&](const Map& m) { return m.lower_bound(key); });
    }
    template <class K = key_type>
    auto upper_bound(const K& key) const {
        return searching(map_, [&](const Map& m) { return m.upper_bound(key); });
    }

    // ---- not operations ----
    iterator begin() noexcept { return map_.begin(); }
    const_iterator begin() const noexcept { return map_.begin(); }
    const_iterator cbegin() const noexcept { return map_.begin(); }
    iterator end() noexcept { return map_.end(); }
    const_iterator end() const noexcept { return map_.end(); }
    const_iterator cend() const noexcept { return map_.end(); }
    size_type size() const noexcept { return map_.size(); }
    [[nodiscard]] bool empty() const noexcept { return map_.empty(); }
    void clear() noexcept {
        map_.clear();
        publish();
    }
    void reserve(size_type elements) {
        map_.reserve(elements);
        publish();
    }
    void rehash(size_type buckets) {
        map_.rehash(buckets);
        publish();
    }
    auto bucket_count() const noexcept requires requires(const Map& m) { m.bucket_count(); }
    { return map_.bucket_count(); }
    auto load_factor() const noexcept requires requires(const Map& m) { m.load_factor(); }
    { return map_.load_factor(); }
    // What this class does not forward; unaudited. Iterators and nodes of it are this map's.
    Map& wrapped() noexcept { return map_; }
    const Map& wrapped() const noexcept { return map_; }

    // 0 where probes are compiled out.
    std::uint32_t id() const noexcept { return handle_.id(); }

private:
    template <class Call>
    decltype(auto) assigning(const Call& call) {
        return operating<op::assign>(map_, call);
    }
    template <class Call>
    decltype(auto) erasing(const Call& call) {
        return operating<op::erase>(map_, call);
    }
    template <class M, class Call>
    decltype(auto) searching(M& map, const Call& call) const {
        return operating<op::lookup>(map, call);
    }
    template <op Op, class M, class Call>
    decltype(auto) operating(M& map, const Call& call) const {
        const arguments<M, Call> given{map, call};
        return audit<Op>(handle_, [this, &given]<class Running>(Running& running) -> decltype(auto) {
            using watcher = std::conditional_t<Running::listening, watch<Op, Running>, unwatched>;
            [[maybe_unused]] const watcher watching(*this, running);
            return given.call(given.map);
        });
    }
    template <class M, class Call>
    struct arguments {
        M& map;
        const Call& call;
    };

    // Compares the map before and after an operation; only while somebody listens, also when the operation throws.
    template <op Op, class Running>
    class watch {
    public:
        watch(const audited& map, Running& running) noexcept
            : map_(map), running_(running), buckets_(map.buckets()), start_ns_(map.handle_.now()) {}
        watch(const watch&) = delete;
        watch& operator=(const watch&) = delete;
        ~watch() {
            const std::uint64_t now_ns = map_.handle_.now(), buckets = map_.buckets();
            if (Op == op::assign && buckets != buckets_)
                running_.grew({buckets_, buckets, start_ns_ != 0 && now_ns > start_ns_ ? now_ns - start_ns_ : 0,
                               MAPAUDIT_GROW_LOAD, 0, 0});
            map_.publish();
        }

    private:
        const audited& map_;
        Running& running_;
        std::uint64_t buckets_, start_ns_;
    };
    struct unwatched {
        unwatched(const audited&, untimed&) noexcept {}
    };

    std::uint64_t buckets() const noexcept {
        if constexpr (requires { map_.bucket_count(); })
            return map_.bucket_count();
        else
            return 0;
    }
    void publish() const noexcept {
        __atomic_store_n(&seen_size_, map_.size(), __ATOMIC_RELAXED);
        __atomic_store_n(&seen_buckets_, buckets(), __ATOMIC_RELAXED);
    }

    Map map_;
    mutable std::uint64_t seen_size_ = 0, seen_buckets_ = 0;
    map_handle handle_;
};

}  // namespace mapaudit

#endif
