// SPDX-License-Identifier: Apache-2.0
//
// libcds has many maps; these are the quickest of its three families of hash maps, each with the reclamation that suits
// it. A value is overwritten in place, by an atomic store, which is quicker than what update() does (a new node each
// time).
#include "maps/subject_map.hpp"

#ifdef BENCH_MAPS_LIBCDS

#include <cds/container/feldman_hashmap_hp.h>
#include <cds/container/michael_kvlist_rcu.h>
#include <cds/container/michael_map_rcu.h>
#include <cds/container/split_list_map_rcu.h>
#include <cds/gc/hp.h>
#include <cds/init.h>
#include <cds/urcu/general_buffered.h>

#include "maps/map_of.hpp"

namespace mapaudit::bench {
namespace {

constexpr unsigned hazards_a_thread = 16, most_threads = 160;
using Rcu = cds::urcu::gc<cds::urcu::general_buffered<>>;

// The library, as long as the process lives.
struct Library {
    Library() : hazard_pointers((cds::Initialize(), hazards_a_thread), most_threads) {}
    ~Library() { cds::Terminate(); }
    cds::gc::HP hazard_pointers;
    Rcu rcu;
};

class Attached {
public:
    Attached() {
        static Library library;
        cds::threading::Manager::attachThread();
    }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;
    ~Attached() { cds::threading::Manager::detachThread(); }
};

// std::hash of an integer is the integer; the list maps choose their bucket by its low bits.
struct MixedHash {
    std::size_t operator()(std::uint64_t key) const { return scattered(key); }
    std::size_t operator()(const std::string& key) const { return std::hash<std::string>()(key); }
};
struct PlainHash {
    std::size_t operator()(std::uint64_t key) const { return key; }
};

struct AtomicValue {
    AtomicValue() = default;
    AtomicValue(MapValue value) : it(value) {}
    AtomicValue(const AtomicValue& other) : it(other.it.load(std::memory_order_relaxed)) {}
    std::atomic<MapValue> it = 0;
};

template <class Key, class Map>
class Cds {
public:
    using Thread = Attached;

    template <class... Args>
    explicit Cds(Args... args) {
        const Attached attached;
        map_ = std::make_unique<Map>(args...);
    }
    Cds(const Cds&) = delete;
    Cds& operator=(const Cds&) = delete;
    ~Cds() {
        const Attached attached;
        map_.reset();
    }

    [[gnu::always_inline]] bool lookup(const Key& key, MapValue& value) {
        return map_->find(key, [&value](auto& found) { value = found.second.it.load(std::memory_order_acquire); });
    }
    [[gnu::always_inline]] bool assign(const Key& key, MapValue value) {
        for (;;) {
            if (map_->find(key, [value](auto& found) { found.second.it.store(value, std::memory_order_release); }))
                return false;
            if (map_->insert(key, AtomicValue(value))) return true;
        }
    }
    [[gnu::always_inline]] bool erase(const Key& key) { return map_->erase(key); }
    std::uint64_t size() { return map_->size(); }

private:
    std::unique_ptr<Map> map_;
};

// A multi-level array, no two keys of one hash: for integers only.
struct FeldmanTraits : cds::container::feldman_hashmap::traits {
    using hash = PlainHash;
};
class Feldman : public Cds<std::uint64_t,
                           cds::container::FeldmanHashMap<cds::gc::HP, std::uint64_t, AtomicValue, FeldmanTraits>> {
public:
    explicit Feldman(std::uint64_t keys) : Cds(std::size_t{keys > 1'000'000 ? 20u : 12u}, std::size_t{4}) {}
};

// A fixed number of buckets, a lock-free list each.
template <class Key>
struct MichaelTraits : cds::container::michael_list::traits {
    using less = std::less<Key>;
};
struct MichaelMapTraits : cds::container::michael_map::traits {
    using hash = MixedHash;
    using item_counter = cds::atomicity::item_counter;
};
template <class Key>
using MichaelMap =
    cds::container::MichaelHashMap<Rcu, cds::container::MichaelKVList<Rcu, Key, AtomicValue, MichaelTraits<Key>>,
                                   MichaelMapTraits>;
template <class Key>
class Michael : public Cds<Key, MichaelMap<Key>> {
public:
    explicit Michael(std::uint64_t keys) : Cds<Key, MichaelMap<Key>>(std::size_t{keys}, std::size_t{1}) {}
};

// One lock-free list with a growing number of entries into it.
template <class Key>
struct SplitTraits : cds::container::split_list::traits {
    using ordered_list = cds::container::michael_list_tag;
    using hash = MixedHash;
    using item_counter = cds::atomicity::item_counter;
    struct ordered_list_traits : cds::container::michael_list::traits {
        using less = std::less<Key>;
    };
};
template <class Key>
using SplitMap = cds::container::SplitListMap<Rcu, Key, AtomicValue, SplitTraits<Key>>;
template <class Key>
class Split : public Cds<Key, SplitMap<Key>> {
public:
    explicit Split(std::uint64_t keys) : Cds<Key, SplitMap<Key>>(std::size_t{keys}, std::size_t{1}) {}
};

}  // namespace

void add_libcds(Field& field) {
    const auto feldman = [](KeyKind kind, std::uint64_t keys) -> std::unique_ptr<MapSubject> {
        if (kind != KeyKind::integer) return nullptr;
        return std::make_unique<MapOf<Feldman, std::uint64_t>>(keys);
    };
    field.candidates.push_back({"libcds FeldmanHashMap", Side::theirs, true, ~std::uint64_t{0}, feldman});
    field.candidates.push_back({"libcds MichaelHashMap", Side::theirs, true, ~std::uint64_t{0}, make_of<Michael>});
    field.candidates.push_back({"libcds SplitListMap", Side::theirs, true, ~std::uint64_t{0}, make_of<Split>});
}

}  // namespace mapaudit::bench

#else

void mapaudit::bench::add_libcds(Field& field) {
    field.left_out.push_back("libcds: Debian's libcds-dev was not there when this was built");
}

#endif
