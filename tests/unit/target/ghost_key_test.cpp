// SPDX-License-Identifier: Apache-2.0
//
// Ghost keys: a reader that trusts a tophash byte published before its key and value finds an element that has long
// been erased. A variant of tophash_map made for this test does publish in that order; no shipped map is fooled.
// The writer stops in the middle of its insertion until the reader has answered, or waits for the writer's lock.
#include "every_concurrent_map.hpp"

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

// What a reader finds under a key that was erased and is being inserted again, while the writer stands still.
template <class Map>
std::optional<u64> read_beside_an_insertion(Map& map) {
    const halting_key key(7);
    map.assign(key, erased_value);
    map.erase(key);
    halt::reached = false;
    halt::answered = false;
    std::thread writer([&] {
        halt::armed = true;
        map.assign(key, new_value);
        halt::armed = false;
    });
    while (!halt::reached) std::this_thread::yield();
    std::optional<u64> found;
    std::thread reader([&] {
        found = map.lookup(key);
        halt::answered = true;
    });
    reader.join();
    writer.join();
    EXPECT_EQ(map.lookup(key), new_value);
    return found;
}

template <class Map>
class GhostKey : public testing::Test {};
using Kinds = mapaudit_test::every_concurrent_map<halting_key, u64, hash_of_number>;
TYPED_TEST_SUITE(GhostKey, Kinds);

TYPED_TEST(GhostKey, IsNotSeenInAnyShippedMap) {
    TypeParam map;
    const auto found = read_beside_an_insertion(map);
    EXPECT_TRUE(!found.has_value() || *found == new_value)
        << "the reader got the value " << *found << " of an erased key";
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

TEST(GhostKeyVariant, MisleadsAReaderByPublishingTheTophashFirst) {
    using memory = std::allocator<std::pair<const u64, u64>>;
    const memory allocator;
    struct hash_of_plain {
        std::size_t operator()(u64 key) const noexcept { return key; }
    };
    {
        detail::basic_tophash_map<u64, u64, hash_of_plain, std::equal_to<u64>, tophash_first, memory> map("ghost");
        struct by_number {
            decltype(map)& of;
            void assign(const halting_key& key, u64 value) { of.assign(key.number, value); }
            void erase(const halting_key& key) { of.erase(key.number); }
            std::optional<u64> lookup(const halting_key& key) const { return of.lookup(key.number); }
        } view{map};
        EXPECT_EQ(read_beside_an_insertion(view), erased_value) << "the variant should have shown the erased element";
        EXPECT_EQ(map.size(), 1u);
    }
    for (detail::retirable* element : std::exchange(tophash_first::erased, {})) element->dispose(&allocator);
}

}  // namespace
