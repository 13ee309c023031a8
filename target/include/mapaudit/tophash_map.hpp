// SPDX-License-Identifier: Apache-2.0
//
// tophash_map: Go's buckets with atomic tophash bytes. Readers take no lock; writers lock one of 64 stripes, chosen by
// the tophash: keys that could be taken for each other exclude each other, keys of one bucket need not. Needs liburcu.
//
//   Progress     lookup and visit: wait-free but for the length of a chain; memory is reclaimed by RCU. assign and
//                erase: blocking, by stripe; one in a batch of them waits for a grace period after its critical
//                section.
//   Update       update()'s and upsert()'s f works on a copy, erase_if()'s looks at the value, once, with the stripe
//                held; neither may write to the map (deadlock). What it throws changes nothing.
//   Consistency  operations on keys are linearizable: an element is whole before the tophash byte that leads to
//                it is stored, and the key is compared. clear() is, too. size() and the other totals are exact at rest.
//   for_each     takes no lock: an element that is there throughout is visited exactly once, one that comes or goes
//                meanwhile once or not at all, with a value that it had meanwhile. Callbacks may call the map.
//   Growth       one writer doubles the array with every stripe locked, which copies addresses. Readers go on in the
//                older array, which stands as it was at that moment. A growth without memory is put off.
//   Memory       the allocator's, given back by any writing thread, or reclaim(), a batch late; liburcu's record of
//                each reading thread is its own.
//   Exceptions   assign is strong. Values are destroyed by a later write, by reclaim(), or with the map.
#ifndef MAPAUDIT_TOPHASH_MAP_HPP
#define MAPAUDIT_TOPHASH_MAP_HPP

#include <memory>
#include <new>

#include <mapaudit/detail/audited_map.hpp>
#include <mapaudit/detail/lock_access.hpp>
#include <mapaudit/detail/slot_table.hpp>

namespace mapaudit {
namespace detail {

template <class K, class V, class Allocator>
struct boxed_element : retirable_of<boxed_element<K, V, Allocator>, Allocator> {
    boxed_element(std::uint64_t h, const K& k, V&& v) : hash(h), key(k), value(std::move(v)) {}
    const std::uint64_t hash;
    const K key;
    const V value;
};

// In which order an element becomes visible. A parameter so that a test can show what another order does.
struct content_first {
    template <class Table, class Element>
    static void publish(const typename Table::position& claimed, Element* element) {
        Table::fill(claimed, element);
    }
    // True when the element may be retired.
    template <class Table>
    static bool vacate(const typename Table::position& p) noexcept {
        Table::empty(p);
        return true;
    }
};

template <class K, class V, class Hash, class Equal, class Publication, class Allocator>
class basic_tophash_map
    : public audited_map<basic_tophash_map<K, V, Hash, Equal, Publication, Allocator>, K, V, Hash, Equal, Allocator> {
    using base = audited_map<basic_tophash_map, K, V, Hash, Equal, Allocator>;
    using element = boxed_element<K, V, Allocator>;
    using table = slot_table<element, Allocator>;
    using lock = owned_lock<std::mutex>;
    friend base;

public:
    static constexpr std::string_view kind = "tophash_map";
    static constexpr bool concurrent = true;
    static constexpr unsigned stripe_count = 64;

    explicit basic_tophash_map(std::string_view name = {}, std::size_t reserve = 0,
                               const Allocator& allocator = Allocator())
        : name_(name, allocator),
          allocator_(allocator),
          table_(new_table(table::log2_for(reserve))),
          retired_(allocator),
          handle_(kind, name, signs_.published()) {
        signs_.buckets = current().bucket_count();
    }
    ~basic_tophash_map() {
        current().each([this](element& e) { destroy_with(allocator_, &e); });
        destroy_with(allocator_, &current());
    }

    // Destroys what was erased and overwritten so far; waits for the readers that are under way.
    void reclaim() { retired_.reclaim(); }

private:
    struct alignas(64) stripe {
        lock mutex;
    };
    // Every stripe, in order: nobody holds one while waiting for a lower one.
    template <class Running>
    class all_stripes {
    public:
        all_stripes(Running& running, basic_tophash_map& map) : running_(running), map_(map) {
            for (stripe& s : map_.stripes_) running_.lock(s.mutex);
        }
        all_stripes(const all_stripes&) = delete;
        all_stripes& operator=(const all_stripes&) = delete;
        ~all_stripes() {
            for (stripe& s : map_.stripes_) running_.unlock(s.mutex);
        }

    private:
        Running& running_;
        basic_tophash_map& map_;
    };

    template <class Q>
    std::uint64_t hash_of(const Q& key) const {
        return mix(static_cast<std::uint64_t>(hash_(key)));
    }
    lock& lock_of(std::uint64_t hash) noexcept { return stripes_[tophash(hash) % stripe_count].mutex; }

    template <class F>
    void each_element(F& f) const {
        read_section reading;
        table_.load(std::memory_order_acquire)->each([&](const element& e) { std::invoke(f, e.key, e.value); });
    }
    void clear_elements() {
        {
            untimed running;
            all_stripes<untimed> stopped(running, *this);
            table& old = current();
            table_.store(new_table(old.log2()), std::memory_order_release);
            old.each([this](element& e) { retired_.retire(&e); });
            retired_.retire(&old);
            signs_.emptied();
        }
        retired_.reclaim();
    }
    map_totals totals() const noexcept { return signs_.totals(); }
    table* new_table(unsigned log2) const { return make_with<table>(allocator_, log2, allocator_); }
    // For whoever holds a stripe, which keeps the table from being exchanged.
    table& current() const noexcept { return *table_.load(std::memory_order_relaxed); }

    template <class Running, class Q, class F>
    bool visit_in(Running&, const Q& key, F& f) const {
        const std::uint64_t hash = hash_of(key);
        read_section reading;
        // Acquire: the array was filled before it was stored.
        const auto found = table_.load(std::memory_order_acquire)->locate(key, hash, equal_);
        if (found.element == nullptr) return false;
        std::invoke(f, found.element->value);
        return true;
    }

    template <class Running>
    bool assign_in(Running& running, const K& key, V&& value) {
        const std::uint64_t hash = hash_of(key);
        auto fresh = own_with<element>(allocator_, hash, key, std::move(value));
        bool overloaded = false;
        {
            running_guard<Running, lock, false> guard(running, lock_of(hash));
            table& t = current();
            if (const auto found = t.locate(key, hash, equal_); found.element != nullptr) {
                table::replace(found, fresh.release());
                guard.unlock();
                retired_.retire(found.element);
                retired_.reclaim_when_full();
                return false;
            }
            overloaded = insert(t, hash, fresh);
        }
        if (overloaded) [[unlikely]]
            grow(running);
        return true;
    }
    // With the stripe of a key held that is not there; true when the table should grow.
    [[gnu::always_inline]] bool insert(table& t, std::uint64_t hash, owned<element, Allocator>& fresh) {
        bool longer = false;
        const auto claimed = t.claim(hash, longer);
        Publication::template publish<table>(claimed, fresh.release());
        if (longer) vital_signs::add(signs_.overflow, 1);
        vital_signs::add(signs_.size, 1);
        return vital_signs::get(signs_.size) > table::limit(t.log2());
    }

    template <class Running, class Q, class F>
    bool update_in(Running& running, const Q& key, F& f) {
        static_assert(std::is_copy_constructible_v<V>,
                      "tophash_map's update works on a copy: the value must be copy constructible");
        const std::uint64_t hash = hash_of(key);
        running_guard<Running, lock, false> guard(running, lock_of(hash));
        const auto found = current().locate(key, hash, equal_);
        if (found.element == nullptr) return false;
        if (!change(found, f)) return true;
        guard.unlock();
        retired_.retire(found.element);
        retired_.reclaim_when_full();
        return true;
    }
    // With the stripe held; false when f left the value alone, else the element is to be retired.
    template <class F>
    bool change(const typename table::position& found, F& f) {
        const element& old = *found.element;
        V value(old.value);
        if (!changed_by(f, value)) return false;
        table::replace(found, make_with<element>(allocator_, old.hash, old.key, std::move(value)));
        return true;
    }

    template <class Running, class F>
    bool upsert_in(Running& running, const K& key, V&& value, F& f) {
        static_assert(std::is_copy_constructible_v<V>,
                      "tophash_map's upsert works on a copy: the value must be copy constructible");
        const std::uint64_t hash = hash_of(key);
        bool overloaded = false;
        {
            running_guard<Running, lock, false> guard(running, lock_of(hash));
            table& t = current();
            if (const auto found = t.locate(key, hash, equal_); found.element != nullptr) {
                if (!change(found, f)) return false;
                guard.unlock();
                retired_.retire(found.element);
                retired_.reclaim_when_full();
                return false;
            }
            if (!changed_by(f, value)) return false;
            auto fresh = own_with<element>(allocator_, hash, key, std::move(value));
            overloaded = insert(t, hash, fresh);
        }
        if (overloaded) [[unlikely]]
            grow(running);
        return true;
    }

    template <class Running, class Q, class F>
    bool erase_in(Running& running, const Q& key, F&& f) {
        const std::uint64_t hash = hash_of(key);
        running_guard<Running, lock, false> guard(running, lock_of(hash));
        const auto found = current().locate(key, hash, equal_);
        if (found.element == nullptr || !std::invoke(f, found.element->value)) return false;
        const bool mine = Publication::template vacate<table>(found);
        vital_signs::take(signs_.size, 1);
        guard.unlock();
        if (mine) retired_.retire(found.element);
        retired_.reclaim_when_full();
        return true;
    }

    template <class Running>
    [[gnu::noinline]] void grow(Running& running) {
        const std::uint64_t start = handle_.now();
        handle_.growing(true);
        try {
            all_stripes<Running> stopped(running, *this);
            table& old = current();
            if (signs_.size > table::limit(old.log2())) {  // else another writer was first
                const std::uint64_t buckets = old.bucket_count();
                std::uint64_t overflow = 0;
                table_.store(old.rebuilt(old.log2() + 1, overflow).release(), std::memory_order_release);
                retired_.retire(&old);
                vital_signs::set(signs_.buckets, 2 * buckets);
                vital_signs::set(signs_.overflow, overflow);
                vital_signs::add(signs_.grows, 1);
                running.grew({buckets, 2 * buckets, start == 0 ? 0 : handle_.now() - start, MAPAUDIT_GROW_LOAD, 0,
                              static_cast<std::uint32_t>(signs_.grows)});
            }
        } catch (const std::bad_alloc&) {
            // The element is in; chains get longer until a later insertion finds the memory.
        }
        handle_.growing(false);
        retired_.reclaim_when_full();
    }

    text_of<Allocator> name_;
    [[no_unique_address]] Allocator allocator_;
    std::atomic<table*> table_;
    [[no_unique_address]] Hash hash_{};
    [[no_unique_address]] Equal equal_{};
    mutable stripe stripes_[stripe_count];
    alignas(64) vital_signs signs_;
    reclaimer<Allocator> retired_;
    map_handle handle_;
};

}  // namespace detail

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class tophash_map : public detail::basic_tophash_map<K, V, Hash, Equal, detail::content_first, Allocator> {
public:
    explicit tophash_map(std::string_view name = {}, std::size_t reserve = 0, const Allocator& allocator = Allocator())
        : detail::basic_tophash_map<K, V, Hash, Equal, detail::content_first, Allocator>(name, reserve, allocator) {}
};

}  // namespace mapaudit

#endif
