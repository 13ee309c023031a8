// SPDX-License-Identifier: Apache-2.0
//
// Look-up by what is no key but compares with one: with a transparent Hash and Equal no map makes a key of it, and
// without them each still takes what converts.
#include "every_concurrent_map.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace mapaudit;
using u64 = std::uint64_t;

// Counts the keys that are made of text.
struct named_key {
    inline static u64 made = 0;
    std::string text;
    named_key(std::string_view from) : text(from) { ++made; }
    bool operator==(const named_key&) const = default;
};
struct hash_of_text {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    std::size_t operator()(const named_key& key) const noexcept { return (*this)(std::string_view(key.text)); }
};
struct same_text {
    using is_transparent = void;
    bool operator()(const named_key& a, const named_key& b) const noexcept { return a.text == b.text; }
    bool operator()(const named_key& a, std::string_view b) const noexcept { return a.text == b; }
};

std::string text_of(u64 number) { return "session of the user with the number " + std::to_string(number); }

template <class Map>
class ForeignKey : public testing::Test {};
using Kinds = mapaudit_test::every_map<named_key, u64, hash_of_text, same_text>;
TYPED_TEST_SUITE(ForeignKey, Kinds);

TYPED_TEST(ForeignKey, MakesNoKeyOfTheMaps) {
    constexpr u64 elements = 1'000;
    TypeParam map;
    for (u64 i = 0; i < elements; ++i) map.assign(named_key(text_of(i)), i);
    const u64 made = named_key::made;
    for (u64 i = 0; i < elements + 10; ++i) {
        const std::string text = text_of(i);
        const std::string_view key = text;
        const bool there = i < elements;
        ASSERT_EQ(map.lookup(key), there ? std::optional<u64>(i) : std::nullopt);
        u64 seen = elements;
        ASSERT_EQ(map.visit(key, [&](const u64& value) { seen = value; }), there);
        ASSERT_EQ(seen, there ? i : elements);
        ASSERT_EQ(map.lookup(text.c_str()).has_value(), there);
        if (i % 3 != 0) continue;
        ASSERT_EQ(map.erase(key), there);
        ASSERT_FALSE(map.erase(text.c_str()));
        ASSERT_FALSE(map.visit(key, [](const u64&) {}));
    }
    EXPECT_EQ(named_key::made, made);
    EXPECT_EQ(map.size(), elements - (elements + 2) / 3);
    EXPECT_EQ(map.lookup(named_key(text_of(1))), 1u) << "the map's own keys still do";
}

TEST(ForeignKeyOf, ALiteralFindsItsKeyWithoutAnyMemory) {
    go_map<named_key, u64, hash_of_text, same_text> map;
    map.assign(named_key("literal"), 7);
    const u64 made = named_key::made;
    EXPECT_EQ(map.lookup("literal"), 7u);  // as large as a pointer, which it must not be taken for
    EXPECT_TRUE(map.erase("literal"));
    EXPECT_EQ(named_key::made, made);
}

TEST(ForeignKeyOf, AttemptsWithALimitMakeNoKeyEither) {
    operation_map<named_key, u64, hash_of_text, same_text> map;
    map.assign(named_key("limited"), 7);
    const u64 made = named_key::made;
    const operation_limits soon{.deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1)};
    EXPECT_EQ(map.try_lookup(std::string_view("limited"), soon).result, 7u);
    EXPECT_TRUE(map.try_erase(std::string_view("limited"), soon).result);
    EXPECT_EQ(named_key::made, made);
}

// A clock that stands until it is moved.
struct by_hand {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<by_hand>;
    static constexpr bool is_steady = true;
    static time_point& at() {
        static time_point time{};
        return time;
    }
    static time_point now() { return at(); }
};

TEST(ForeignKeyOf, AnExpiredElementLeavesWithoutAKeyBeingMade) {
    cache_map<named_key, u64, hash_of_text, same_text, by_hand> map;
    map.assign_for(named_key("short lived"), 7, std::chrono::seconds(1));
    by_hand::at() += std::chrono::seconds(2);
    const u64 made = named_key::made;
    EXPECT_EQ(map.lookup(std::string_view("short lived")), std::nullopt);
    EXPECT_EQ(map.size(), 0u) << "what a look-up comes upon leaves";
    EXPECT_EQ(map.expirations(), 1u);
    EXPECT_EQ(named_key::made, made);
}

// Neither Hash nor Equal is transparent: the argument is converted, as everywhere in the standard library.
template <class Map>
class ConvertedKey : public testing::Test {};
using Opaque = mapaudit_test::every_map<std::string, u64>;
TYPED_TEST_SUITE(ConvertedKey, Opaque);

TYPED_TEST(ConvertedKey, StillFindsWhatItConvertsTo) {
    TypeParam map;
    map.assign("key", 7);
    EXPECT_EQ(map.lookup("key"), 7u);
    EXPECT_TRUE(map.visit("key", [](const u64&) {}));
    EXPECT_TRUE(map.erase("key"));
    EXPECT_TRUE(map.empty());
}

}  // namespace
