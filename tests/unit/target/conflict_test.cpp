// SPDX-License-Identifier: Apache-2.0
//
// go_map's check for concurrent use, without a race: the second access comes out of the map's own key comparison, in
// the middle of a write.
#include <mapaudit/detail/thread_id.hpp>
#include <mapaudit/go_map.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace mapaudit;

// Runs once, inside the write that compares keys next.
std::function<void()>& inside_next_comparison() {
    static std::function<void()> hook;
    return hook;
}
struct interrupted_equal {
    bool operator()(int a, int b) const {
        if (auto hook = std::exchange(inside_next_comparison(), nullptr)) hook();
        return a == b;
    }
};
using interrupted_map = go_map<int, int, std::hash<int>, interrupted_equal>;

// Overwrites the map's key 1 and runs `second` while that write is under way.
template <class Second>
void write_and_meanwhile(interrupted_map& map, Second second) {
    inside_next_comparison() = std::move(second);
    map.assign(1, 100);
}
void ignore(const int&, const int&) {}

struct access {
    const char* what;
    mapaudit_conflict kind;
    std::string text;
    void (*run)(interrupted_map&);
};
const access accesses[] = {
    {"assign", MAPAUDIT_CONFLICT_WRITE_WRITE, "concurrent map writes", [](interrupted_map& m) { m.assign(1, 5); }},
    {"update", MAPAUDIT_CONFLICT_WRITE_WRITE, "concurrent map writes",
     [](interrupted_map& m) { m.update(1, [](int& value) { value = 5; }); }},
    {"upsert", MAPAUDIT_CONFLICT_WRITE_WRITE, "concurrent map writes",
     [](interrupted_map& m) { m.upsert(1, 5, [](int& value) { value = 5; }); }},
    {"erase", MAPAUDIT_CONFLICT_WRITE_WRITE, "concurrent map writes", [](interrupted_map& m) { m.erase(2); }},
    {"erase_if", MAPAUDIT_CONFLICT_WRITE_WRITE, "concurrent map writes",
     [](interrupted_map& m) { m.erase_if(2, [](const int&) { return true; }); }},
    {"clear", MAPAUDIT_CONFLICT_WRITE_WRITE, "concurrent map writes", [](interrupted_map& m) { m.clear(); }},
    {"lookup", MAPAUDIT_CONFLICT_READ_WRITE, "concurrent map read and map write",
     [](interrupted_map& m) { static_cast<void>(m.lookup(1)); }},
    {"visit", MAPAUDIT_CONFLICT_READ_WRITE, "concurrent map read and map write",
     [](interrupted_map& m) { m.visit(1, [](const int&) {}); }},
    {"for_each", MAPAUDIT_CONFLICT_ITERATE_WRITE, "concurrent map iteration and map write",
     [](interrupted_map& m) { m.for_each(ignore); }},
};

class Conflict : public testing::TestWithParam<access> {
protected:
    ~Conflict() override { inside_next_comparison() = nullptr; }

    void fill(interrupted_map& map) {
        map.assign(1, 10);
        map.assign(2, 20);
    }
};

void expect_describes(const conflict_error& error, const access& expected, const interrupted_map& map) {
    EXPECT_EQ(error.kind(), expected.kind);
    EXPECT_EQ(error.map_id(), map.id());
    const std::string what = error.what();
    EXPECT_NE(what.find(expected.text), std::string::npos) << what;
    EXPECT_NE(what.find("go_map \"shared\""), std::string::npos) << what;
    EXPECT_NE(what.find("thread " + std::to_string(error.other_thread()) + " writes"), std::string::npos) << what;
}

TEST_P(Conflict, ThrowsInTheThreadThatComesSecond) {
    interrupted_map map("shared", 0, conflict_policy::throw_);
    fill(map);
    std::optional<conflict_error> caught;
    std::uint32_t second_id = 0;
    write_and_meanwhile(map, [&] {
        std::thread second([&] {
            second_id = detail::this_thread_id();
            try {
                GetParam().run(map);
            } catch (const conflict_error& error) {
                caught = error;
            }
        });
        second.join();
    });
    ASSERT_TRUE(caught.has_value());
    expect_describes(*caught, GetParam(), map);
    EXPECT_EQ(caught->other_thread(), detail::this_thread_id());
    EXPECT_NE(std::string(caught->what()).find("thread " + std::to_string(second_id) + " while"), std::string::npos);
    EXPECT_EQ(map.lookup(1), 100) << "the first write is undisturbed";
    EXPECT_EQ(map.lookup(2), 20) << "the second came to nothing";
    EXPECT_EQ(map.size(), 2u);
}

TEST_P(Conflict, ThrowsOutOfTheOperationThatCausedIt) {
    interrupted_map map("shared", 0, conflict_policy::throw_);
    fill(map);
    try {
        write_and_meanwhile(map, [&] { GetParam().run(map); });
        FAIL() << "nothing thrown";
    } catch (const conflict_error& error) {
        expect_describes(error, GetParam(), map);
    }
    // The write that failed has left: the map is whole and free again.
    EXPECT_EQ(map.lookup(1), 10);
    EXPECT_EQ(map.lookup(2), 20);
    EXPECT_FALSE(map.assign(1, 11));
    EXPECT_TRUE(map.erase(2));
}

TEST_P(Conflict, AbortsWithAMessageThatNamesTheMap) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            interrupted_map map("shared");  // abort is the default
            fill(map);
            write_and_meanwhile(map, [&] { GetParam().run(map); });
        },
        "mapaudit: fatal: " + GetParam().text +
            " on go_map \"shared\" \\(map [0-9]+\\): thread [0-9]+ while thread [0-9]+ writes");
}

INSTANTIATE_TEST_SUITE_P(Accesses, Conflict, testing::ValuesIn(accesses),
                         [](const auto& instance) { return std::string(instance.param.what); });

class ConflictReport : public Conflict {};

TEST_F(ConflictReport, GoesOn) {
    interrupted_map map("shared", 0, conflict_policy::report);
    fill(map);
    std::optional<int> seen;
    write_and_meanwhile(map, [&] { seen = map.lookup(2); });
    EXPECT_EQ(seen, 20);
    int elements = 0;
    write_and_meanwhile(map, [&] { map.for_each([&](const int&, const int&) { ++elements; }); });
    EXPECT_EQ(elements, 2);
    // The second write ends with the flag cleared under the first one's feet: that too is only reported.
    write_and_meanwhile(map, [&] { map.assign(2, 21); });
    EXPECT_EQ(map.lookup(1), 100);
    EXPECT_EQ(map.lookup(2), 21);
    EXPECT_EQ(map.size(), 2u);
}

TEST(ConflictFree, OneThreadReadsInsideItsOwnReads) {
    go_map<int, int> map("nested");  // would abort
    for (int i = 0; i < 20; ++i) map.assign(i, i);
    int sum = 0;
    map.visit(1, [&](const int& a) { map.visit(2, [&](const int& b) { sum = a + b; }); });
    EXPECT_EQ(sum, 3);
    int visited = 0;
    map.for_each([&](const int& key, const int&) { visited += map.lookup(key).has_value() ? 1 : 0; });
    EXPECT_EQ(visited, 20);
}

TEST(ConflictFree, ManyThreadsRead) {
    go_map<int, int> map("readers");
    for (int i = 0; i < 1'000; ++i) map.assign(i, -i);
    int found[4] = {};
    {
        std::thread readers[4];
        for (int t = 0; t < 4; ++t)
            readers[t] = std::thread([&, t] {
                for (int i = 0; i < 1'000; ++i) found[t] += map.lookup(i) == -i ? 1 : 0;
                map.for_each([&, t](const int& key, const int& value) { found[t] += value == -key ? 1 : 0; });
            });
        for (auto& reader : readers) reader.join();
    }
    for (const int count : found) EXPECT_EQ(count, 2'000);
}

// What the header forbids, and no compiler sees.
TEST(ConflictOf, AnUpdateThatCallsTheMapThrowsBeforeAnythingIsTouched) {
    go_map<int, int> map("updated", 0, conflict_policy::throw_);
    map.assign(1, 10);
    for (const auto& call :
         {std::function<void()>([&map] { map.assign(2, 20); }), std::function<void()>([&map] { map.erase(1); }),
          std::function<void()>([&map] { static_cast<void>(map.lookup(1)); }),
          std::function<void()>([&map] { map.clear(); })}) {
        EXPECT_THROW(map.update(1, [&call](int&) { call(); }), conflict_error);
        EXPECT_EQ(map.lookup(1), 10);
        EXPECT_EQ(map.size(), 1u);
    }
}

}  // namespace
