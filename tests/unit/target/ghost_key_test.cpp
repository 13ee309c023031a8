// SPDX-License-Identifier: Apache-2.0
//
// Ghost keys: a reader that trusts a tophash byte published before its key and value finds an element that has long
// been erased. And lost updates: two threads read the same value, and each writes its own successor. A map made for
// this test does both, and the conflict probe tells of it; the same bodies find neither in a shipped map. The first
// thread stops in the middle of its write until the second is done, or waits for its lock.
#include "every_concurrent_map.hpp"
#include "recording.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace mapaudit;
using u64 = std::uint64_t;

// Where the writer stops.
struct halt {
    inline static thread_local bool armed = false;
    inline static std::atomic<bool> reached = false, answered = false;

    // For a reader that may be waiting for our lock, and then never answers: enough turns for it to get there.
    static void for_a_while() {
        if (!reach()) return;
        for (int turn = 0; turn < 20'000 && !answered; ++turn) std::this_thread::yield();
    }
    // For a reader that takes no lock.
    static void until_answered() {
        if (!reach()) return;
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!answered && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    }

private:
    static bool reach() {
        if (!std::exchange(armed, false)) return false;
        reached = true;
        return true;
    }
};

// Every map copies a new key while it inserts.
struct halting_key {
    u64 number;
    explicit halting_key(u64 n) : number(n) {}
    halting_key(const halting_key& other) : number(other.number) { halt::for_a_while(); }
    halting_key& operator=(const halting_key&) = default;
    bool operator==(const halting_key&) const = default;
};
struct hash_of_number {
    std::size_t operator()(const halting_key& key) const noexcept { return key.number; }
};

constexpr u64 erased_value = 1, new_value = 2;

// How often the calling thread has told of a conflict. It is counted in the thread's block, which may have been
// another's before.
class told_here {
public:
    u64 count() const { return so_far() - before_; }

private:
    static u64 so_far() {
#ifndef MAPAUDIT_NO_PROBES
        if (detail::tls_block == nullptr) detail::acquire_block();
        if (detail::tls_block != nullptr) return detail::tls_block->events;
#endif
        return 0;
    }
    u64 before_ = so_far();
};
struct told {
    u64 first = 0, second = 0;  // the thread that stops in its write, and the other
};
struct ghost_read {
    std::optional<u64> found;
    told conflicts;
};

// What a reader finds under a key that was erased and is being inserted again, while the writer stands still.
template <class Map>
ghost_read read_beside_an_insertion(Map& map) {
    const halting_key key(7);
    map.assign(key, erased_value);
    map.erase(key);
    halt::reached = false;
    halt::answered = false;
    ghost_read seen;
    std::thread writer([&] {
        const told_here here;
        halt::armed = true;
        map.assign(key, new_value);
        halt::armed = false;
        seen.conflicts.first = here.count();
    });
    while (!halt::reached) std::this_thread::yield();
    std::thread reader([&] {
        const told_here here;
        seen.found = map.lookup(key);
        seen.conflicts.second = here.count();
        halt::answered = true;
    });
    reader.join();
    writer.join();
    EXPECT_EQ(map.lookup(key), new_value);
    return seen;
}

// What is left when two threads add one, the second while the first has read and not yet written.
template <class Map>
std::pair<u64, told> add_beside_an_addition(Map& map) {
    const halting_key key(7);
    map.assign(key, 0);
    halt::reached = false;
    halt::answered = false;
    told conflicts;
    std::thread first([&] {
        const told_here here;
        halt::armed = true;
        map.update(key, [](u64& value) {
            halt::for_a_while();
            ++value;
        });
        halt::armed = false;
        conflicts.first = here.count();
    });
    while (!halt::reached) std::this_thread::yield();
    std::thread second([&] {
        const told_here here;
        map.update(key, [](u64& value) { ++value; });
        conflicts.second = here.count();
        halt::answered = true;
    });
    first.join();
    second.join();
    return {map.lookup(key).value_or(0), conflicts};
}

template <class Map>
class GhostKey : public testing::Test {};
using Kinds = mapaudit_test::every_concurrent_map<halting_key, u64, hash_of_number>;
TYPED_TEST_SUITE(GhostKey, Kinds);

TYPED_TEST(GhostKey, IsNotSeenInAnyShippedMap) {
    TypeParam map;
    const auto found = read_beside_an_insertion(map).found;
    EXPECT_TRUE(!found.has_value() || *found == new_value)
        << "the reader got the value " << *found << " of an erased key";
}

TYPED_TEST(GhostKey, NorIsAnUpdateLost) {
    TypeParam map;
    EXPECT_EQ(add_beside_an_addition(map).first, 2u);
}

// go_map is not for several threads: it keeps its word by refusing.
struct refusing_map {
    go_map<halting_key, u64, hash_of_number> of{"refusing", 0, conflict_policy::throw_};
    std::atomic<int> refused = 0;
    bool assign(const halting_key& key, u64 value) { return of.assign(key, value); }
    bool erase(const halting_key& key) { return of.erase(key); }
    std::optional<u64> lookup(const halting_key& key) {
        try {
            return of.lookup(key);
        } catch (const conflict_error&) {
            ++refused;
            return std::nullopt;
        }
    }
    template <class F>
    void update(const halting_key& key, F f) {
        try {
            of.update(key, f);
        } catch (const conflict_error&) {
            ++refused;
        }
    }
};

TEST(GhostKeyInGoMap, IsRefusedAndSoIsASecondUpdate) {
    refusing_map map;
    EXPECT_EQ(read_beside_an_insertion(map).found, std::nullopt);
    EXPECT_EQ(map.refused, 1);
    EXPECT_EQ(add_beside_an_addition(map).first, 1u) << "one was done, the other was told that it was not";
    EXPECT_EQ(map.refused, 2);
}

// The byte first, the address behind it later; an erasure only takes the byte back.
struct tophash_first {
    inline static std::vector<detail::retirable*> erased;

    template <class Table, class Element>
    static void publish(const typename Table::position& claimed, Element* element) {
        claimed.at->turn(claimed.index, detail::slot_claimed, detail::tophash(element->hash));
        halt::until_answered();
        claimed.at->slots[claimed.index].store(element, std::memory_order_release);
    }
    template <class Table>
    static bool vacate(const typename Table::position& p) {
        p.at->turn(p.index, detail::tophash(p.element->hash), detail::slot_empty);
        erased.push_back(p.element);
        return false;
    }
};

// A map that publishes in that order, and updates by a look-up and a write of their own; under go_map's check, which
// goes on into the race and reports it.
class careless_map {
    using memory = std::allocator<std::pair<const u64, u64>>;
    struct hash_of_plain {
        std::size_t operator()(u64 key) const noexcept { return key; }
    };

public:
    static constexpr std::string_view kind = "careless_map";

    careless_map() = default;
    ~careless_map() {
        const memory allocator;
        for (detail::retirable* element : std::exchange(tophash_first::erased, {})) element->dispose(&allocator);
    }
    void assign(const halting_key& key, u64 value) {
        write([&] { elements_.assign(key.number, value); });
    }
    void erase(const halting_key& key) {
        write([&] { elements_.erase(key.number); });
    }
    std::optional<u64> lookup(const halting_key& key) {
        if (flag_.is_written()) flag_.read_beside_a_write(*this);
        return elements_.lookup(key.number);
    }
    template <class F>
    void update(const halting_key& key, F f) {
        write([&] {
            u64 value = elements_.lookup(key.number).value_or(0);
            f(value);
            elements_.assign(key.number, value);
        });
    }
    std::string_view name() const noexcept { return "careless"; }
    std::uint32_t id() const noexcept { return handle_.id(); }

    map_handle handle_{kind, "careless", {}};

private:
    template <class Write>
    void write(Write body) {
        auto guard = flag_.rewrite(*this);
        body();
        guard.unlock();
    }

    detail::write_flag flag_{conflict_policy::report};
    detail::basic_tophash_map<u64, u64, hash_of_plain, std::equal_to<u64>, tophash_first, memory> elements_;
};

TEST(GhostKeyVariant, MisleadsAReaderByPublishingTheTophashFirst) {
    careless_map map;
    EXPECT_EQ(read_beside_an_insertion(map).found, erased_value) << "it should have shown the erased element";
}

TEST(GhostKeyVariant, LosesAnUpdateThatReadsBeforeItWrites) {
    careless_map map;
    EXPECT_EQ(add_beside_an_addition(map).first, 1u) << "it should have lost one of two";
}

#ifndef MAPAUDIT_NO_PROBES
// The probe fires on the thread that comes second, and as it leaves on the one that it came upon.
TEST(GhostKeyVariant, IsReportedByTheConflictProbe) {
    const mapaudit_test::listening batches(MAPAUDIT_SEM_BATCH), conflicts(MAPAUDIT_SEM_CONFLICT);
    careless_map map;
    const ghost_read seen = read_beside_an_insertion(map);
    EXPECT_EQ(seen.found, erased_value);
    EXPECT_EQ(seen.conflicts.second, 1u);
    EXPECT_EQ(seen.conflicts.first, 1u);
}

TEST(GhostKeyVariant, IsReportedByTheConflictProbeWhenItLosesAnUpdate) {
    const mapaudit_test::listening batches(MAPAUDIT_SEM_BATCH), conflicts(MAPAUDIT_SEM_CONFLICT);
    careless_map map;
    const auto [sum, told_of] = add_beside_an_addition(map);
    EXPECT_EQ(sum, 1u);
    EXPECT_GE(told_of.first, 1u);
    EXPECT_GE(told_of.second, 1u);
}
#endif

}  // namespace
