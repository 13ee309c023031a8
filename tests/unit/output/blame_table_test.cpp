// SPDX-License-Identifier: Apache-2.0
#include "output/blame_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "output/summary.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

model::MapBlame map(std::uint32_t id, const char* name, std::uint64_t work, std::uint64_t grow, std::uint64_t wait) {
    model::MapBlame map;
    map.map = model::MapDescription{.id = {4242, 0, id}, .number = id, .name = name, .kind = "go_map"};
    map.ops[MAPAUDIT_OP_LOOKUP].samples = {work, 0, 0, wait};
    map.ops[MAPAUDIT_OP_ASSIGN].samples = {0, 0, grow, 0};
    return map;
}

model::Report report() {
    model::Report report = sample_report(model::Scope::total);
    report.cpu.able = {"cpu-clock", true, {}};
    report.cpu.maps = {map(1, "idle\x1b[2J", 0, 0, 0), map(2, "users", 300, 50, 150)};
    model::OpBlame& lookup = report.cpu.maps[1].ops[MAPAUDIT_OP_LOOKUP];
    lookup.slept_ns = 1'500'000'000;
    lookup.lock_slept_ns = 1'230'000'000;
    lookup.preemptions = 41;
    lookup.lock_preemptions = 7;
    lookup.migrations = 3;
    report.cpu.processes = {{4242, 1000, 500, 490, 10, 0, {}, 0}};
    return report;
}

TEST(Blame, golden) {
    // clang-format off
    EXPECT_EQ(blame_text(report()),
R"(Where the CPU went (by cpu-clock):
  MAP(kind)            CPU% WORK% WAIT% GROW%   SLEPT FOR LOCK PREEMPTED HOLDING  MOVED
  users(go_map)        50.0  30.0  15.0   5.0   1.50s    1.23s        41       7      3
  idle\x1b[2J(go_map)   0.0   0.0   0.0   0.0     0ns      0ns         0       0      0
  1000 samples: 500 in maps, 490 elsewhere, 10 not known, 0 lost
)");
    // clang-format on
}

TEST(Blame, stands_in_the_summary_before_the_ledger) {
    const std::string text = summary_text(report());
    EXPECT_THAT(text, HasSubstr("\n\nWhere the CPU went (by cpu-clock):\n"));
    EXPECT_LT(text.find("Where the CPU went"), text.find("Ledger: "));
}

TEST(Blame, nothing_sampled_nothing_said) {
    model::Report none = report();
    none.cpu = {};
    EXPECT_EQ(blame_text(none), "");
}

TEST(Blame, a_scheduler_that_was_not_seen_has_no_figures) {
    model::Report blind = report();
    blind.cpu.able.scheduler = false;
    EXPECT_THAT(blame_text(blind),
                HasSubstr("  users(go_map)        50.0  30.0  15.0   5.0       -        -         -       -      -\n"));
}

TEST(Blame, only_maps_that_match) {
    const std::string text = blame_text(report(), *MapFilter::make("^idle"));
    EXPECT_THAT(text, HasSubstr("idle"));
    EXPECT_THAT(text, Not(HasSubstr("users")));
    EXPECT_THAT(text, HasSubstr("1000 samples: 500 in maps"));
}

TEST(Blame, counters_are_told_per_operation_and_only_those_there_are) {
    model::Report counted = report();
    counted.cpu.able = {"cycles", true, {true, true, false, true}};
    counted.cpu.maps[1].calls[MAPAUDIT_OP_LOOKUP] = 1000;
    counted.cpu.maps[1].ops[MAPAUDIT_OP_LOOKUP].events = {120'000, 85'400, 77, 15};
    // clang-format off
    EXPECT_THAT(blame_text(counted), EndsWith(R"(
An operation on average, by samples of the processor's counters:
  users(go_map) lookup: 120 cycles, 85.4 instructions, 0.01 branch misses
)"));
    // clang-format on
}

TEST(Blame, processes_are_told_apart) {
    model::Report two = report();
    two.targets.push_back({4243, "other", "full", true});
    two.cpu.processes.push_back({4243, 5, 0, 5, 0, 0, {}, 3});
    const std::string text = blame_text(two);
    EXPECT_THAT(text, HasSubstr("  4242:users(go_map)"));
    EXPECT_THAT(text, HasSubstr("  pid 4243: 5 samples: 0 in maps, 5 elsewhere, 0 not known, 0 lost\n"));
    EXPECT_THAT(text, HasSubstr("  3 times asleep or preempted were not counted: the table was full\n"));
}

TEST(Blame, what_does_not_add_up_is_never_hidden) {
    EXPECT_EQ(samples_line({1, 10, 3, 4, 1, 1, {}, 0}),
              "10 samples: 3 in maps, 4 elsewhere, 1 not known, 1 lost - DOES NOT ADD UP");
}

TEST(Blame, the_most_sampled_and_how_many_more) {
    model::Report many = report();
    many.cpu.maps.clear();
    for (std::uint32_t i = 1; i <= 22; ++i) many.cpu.maps.push_back(map(i, ("m" + std::to_string(i)).c_str(), i, 0, 0));
    const std::string text = blame_text(many);
    EXPECT_THAT(text, HasSubstr("  m3(go_map)"));
    EXPECT_THAT(text, Not(HasSubstr("  m2(go_map) ")));
    EXPECT_THAT(text, HasSubstr("  ... and 2 more maps with fewer samples\n"));
}

}  // namespace
}  // namespace mapaudit::output
