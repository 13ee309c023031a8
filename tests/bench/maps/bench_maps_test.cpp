// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <sstream>
#include <unordered_map>

#include "maps/map_results.hpp"
#include "maps/window.hpp"
#include "subject.hpp"

namespace mapaudit::bench {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr Point reading{KeyKind::integer, 100, Distribution::uniform, 100, 1};
constexpr Point mixed{KeyKind::integer, 100, Distribution::uniform, 50, 2};

// What `chunks` chunks of steps do to a map that has every key.
Tally expected_of(const Keys& keys, const std::vector<MapStep>& steps, std::size_t chunks, std::uint64_t& size) {
    std::unordered_map<std::uint64_t, bool> there;
    for (std::uint64_t i = 0; i < keys.count; ++i) there[keys.identity(i)] = true;
    Tally tally;
    for (std::size_t i = 0; i < chunks * steps_a_chunk; ++i) {
        bool& is = there.at(identity_of(steps[i]));
        switch (op_of(steps[i])) {
            case MapOp::lookup:
                ++tally.lookups;
                tally.found += is;
                break;
            case MapOp::assign:
                ++tally.assigns;
                tally.inserted += !std::exchange(is, true);
                break;
            case MapOp::erase:
                ++tally.erases;
                tally.erased += std::exchange(is, false);
                break;
        }
    }
    size = keys.count + tally.inserted - tally.erased;
    return tally;
}

class EveryCandidate : public testing::TestWithParam<Candidate> {};

TEST_P(EveryCandidate, DoesWhatAModelDoes) {
    constexpr std::size_t chunks = 300;
    for (const KeyKind kind : {KeyKind::integer, KeyKind::string}) {
        Point point = mixed;
        point.kind = kind;
        const Keys keys(kind, point.keys);
        const auto steps = draw_steps(point, keys);
        const auto map = GetParam().make(kind, point.keys);
        if (map == nullptr) continue;
        map->fill(keys);
        EXPECT_EQ(map->size(), keys.count);

        const std::atomic<bool> stop = true;  // one chunk at a time
        Tally tally;
        for (std::size_t i = 0; i < chunks; ++i) tally += map->work(keys, steps, i * steps_a_chunk, stop);
        std::uint64_t size = 0;
        const Tally expected = expected_of(keys, steps, chunks, size);
        EXPECT_EQ(tally.lookups, expected.lookups);
        EXPECT_EQ(tally.found, expected.found);
        EXPECT_EQ(tally.assigns, expected.assigns);
        EXPECT_EQ(tally.inserted, expected.inserted);
        EXPECT_EQ(tally.erases, expected.erases);
        EXPECT_EQ(tally.erased, expected.erased);
        EXPECT_EQ(tally.wrong, 0u);
        EXPECT_EQ(map->size(), size);
        EXPECT_THAT(fault_in(point, tally, keys.count, map->size()), IsEmpty());
    }
}

std::string test_name(const testing::TestParamInfo<Candidate>& test) {
    std::string name;
    for (const char c : test.param.name) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return name;
}

INSTANTIATE_TEST_SUITE_P(Maps, EveryCandidate, testing::ValuesIn(all_candidates().candidates), test_name);

TEST(Window, ThreadsTogetherKeepTheCounts) {
    const Keys keys(mixed.kind, mixed.keys);
    const auto steps = draw_steps(mixed, keys);
    for (const Candidate& candidate : all_candidates().candidates) {
        if (!takes_part(candidate, mixed)) continue;
        SCOPED_TRACE(candidate.name);
        const auto map = candidate.make(mixed.kind, mixed.keys);
        map->fill(keys);
        EXPECT_GT(measure_window(*map, mixed, keys, steps, keys.count, 1, std::chrono::milliseconds(20)).ops_per_s(),
                  0);
    }
}

TEST(Window, RefusesWhatWasNotDone) {
    Tally tally;
    EXPECT_EQ(fault_in(reading, tally, 100, 100), "no operation was done");
    tally.lookups = 50;
    tally.found = 49;
    EXPECT_EQ(fault_in(reading, tally, 100, 100), "1 of 50 look-ups found nothing, in a map that has every key");
    tally.found = 50;
    EXPECT_EQ(fault_in(reading, tally, 100, 100), "");
    tally.wrong = 2;
    EXPECT_EQ(fault_in(reading, tally, 100, 100), "2 of 50 look-ups gave another key's value");
    tally.wrong = 0;
    tally.assigns = tally.erases = 40;
    tally.inserted = 30;
    EXPECT_EQ(fault_in(mixed, tally, 100, 130), "50 look-ups, 30 insertions and 0 erasures were done");
    tally.erased = 35;
    EXPECT_EQ(fault_in(mixed, tally, 100, 95), "");
    tally.inserted = 0;
    EXPECT_EQ(fault_in(mixed, tally, 100, 65), "50 look-ups, 0 insertions and 35 erasures were done");
    EXPECT_EQ(fault_in(mixed, tally, 10'000, 9'965), "") << "of so many keys, none that was erased was assigned again";
    tally.inserted = 30;
    EXPECT_EQ(fault_in(mixed, tally, 100, 96), "100 elements, 30 inserted and 35 erased, make 95, and it says 96");
}

TEST(Load, HasTheSharesThatWereAskedFor) {
    const Keys keys(KeyKind::integer, 10'000);
    for (const unsigned percent : {50u, 99u, 100u}) {
        Point point{KeyKind::integer, 10'000, Distribution::zipf, percent, 2};
        const auto steps = draw_steps(point, keys);
        ASSERT_EQ(steps.size() % steps_a_chunk, 0u);
        double lookups = 0, hottest = 0;
        for (const MapStep step : steps) {
            lookups += op_of(step) == MapOp::lookup;
            hottest += identity_of(step) == keys.identity(0);
        }
        EXPECT_NEAR(lookups / static_cast<double>(steps.size()), percent / 100.0, 0.01);
        EXPECT_GT(hottest / static_cast<double>(steps.size()), 0.05);  // of a uniform load it would have 0.0001
    }
}

TEST(Point, TheDefaultIsAPartOfTheWhole) {
    const auto all = all_points();
    for (const Point& point : default_points()) EXPECT_THAT(all, testing::Contains(point)) << point_name(point);
    EXPECT_EQ(point_name(mixed), "100/integer/uniform/2/50");
    EXPECT_EQ(group_label(all.back()), "10M integer keys, Zipf 0.99, 128 threads");
}

MapOutcome outcome() {
    MapOutcome outcome;
    outcome.machine = "a machine";
    const Point two{KeyKind::integer, 10'000, Distribution::uniform, 95, 2};
    Point half = two;
    half.read_percent = 50;
    Point alone = two;
    alone.threads = 1;
    alone.read_percent = 100;
    const auto add = [&](const Point& point, const char* map, Side side, bool concurrent, std::vector<double> rates) {
        outcome.figures.push_back({point, map, side, concurrent, std::move(rates), {}});
    };
    add(alone, "go_map", Side::ours, false, {150e6});
    add(alone, "absl::flat_hash_map", Side::plain, false, {200e6});
    add(alone, "std::unordered_map", Side::plain, false, {90e6});
    add(two, "cas_map", Side::ours, true, {20e6, 22e6, 21e6});
    add(two, "mutex_map", Side::ours, true, {5e6, 5e6, 5e6});
    add(two, "cds_lfht (qsbr)", Side::theirs, true, {10e6, 11e6, 10.5e6});
    add(half, "cas_map", Side::ours, true, {9e6, 11e6, 10e6});
    add(half, "tbb::concurrent_hash_map", Side::theirs, true, {12e6, 10.5e6, 12.5e6});
    return outcome;
}

TEST(Outcome, SaysWhoWinsAndWhatCannotBeTold) {
    std::ostringstream out;
    print_winners(out, outcome());
    EXPECT_THAT(out.str(), HasSubstr("10k integer keys, uniform, 2 threads        95 %  cas_map        21.00  "
                                     "cds_lfht (qsbr)            10.50   2.00  ours"));
    EXPECT_THAT(out.str(), HasSubstr("10k integer keys, uniform, 2 threads        50 %  cas_map        10.00  "
                                     "tbb::concurrent_hash_map   12.00   0.83  tie"));
}

TEST(Outcome, Goals) {
    std::ostringstream out;
    print_map_goals(out, outcome());
    EXPECT_EQ(out.str(), R"(
goals
  MISSED go_map's look-ups beside absl::flat_hash_map's, one thread: on 0 of 1 loads, the worst 0.75 times (goal: at least 0.77) with 10k integer keys, uniform, 1 thread, 100 % reads
  met    go_map's look-ups beside std::unordered_map's, one thread: on 1 of 1 loads, the worst 1.67 times (goal: at least 1.50) with 10k integer keys, uniform, 1 thread, 100 % reads
  met    our quickest beside the quickest of tbb, libcds and liburcu, several threads, 90 % reads and more: on 1 of 1 loads, the worst 2.00 times (goal: at least 1.00) with 10k integer keys, uniform, 2 threads, 95 % reads (cds_lfht (qsbr))
  MISSED our quickest beside tbb::concurrent_hash_map, several threads, 50 % reads: on 0 of 1 loads, the worst 0.83 times (goal: at least 1.00) with 10k integer keys, uniform, 2 threads, 50 % reads
)");
}

TEST(Outcome, Csv) {
    std::ostringstream out;
    write_map_csv(out, outcome());
    EXPECT_THAT(out.str(), HasSubstr("10000,integer,uniform,2,95,cas_map,1,1,3,21000000,20000000,22000000,47.619,"
                                     "0,0,0,0,0,0,\"a machine\"\n"));
}

}  // namespace
}  // namespace mapaudit::bench
