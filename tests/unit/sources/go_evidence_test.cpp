// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_evidence.hpp"

#include <gtest/gtest.h>

namespace mapaudit::sources {
namespace {

std::vector<model::Evidence> rows_of(const GoEvidence& evidence) {
    return evidence.rows([](const GoPlace& place, model::Evidence& row) {
        row.map = model::MapDescription{.id = {static_cast<int>(place.process), 0, place.map}};
        model::Frame frame;
        frame.offset = place.caller;
        row.stack.frames = {frame};
    });
}

TEST(GoEvidence, a_conflict_is_known_by_its_whole_message) {
    EXPECT_EQ(conflict_of("concurrent map writes"), MAPAUDIT_CONFLICT_WRITE_WRITE);
    EXPECT_EQ(conflict_of("concurrent map read and map write"), MAPAUDIT_CONFLICT_READ_WRITE);
    EXPECT_EQ(conflict_of("concurrent map iteration and map write"), MAPAUDIT_CONFLICT_ITERATE_WRITE);
    for (const char* const other :
         {"", "concurrent map", "all goroutines are asleep - deadlock!", "concurrent map writes "})
        EXPECT_FALSE(conflict_of(other)) << other;
}

TEST(GoEvidence, growths_of_one_place_map_and_reason_are_one_row) {
    GoEvidence evidence;
    evidence.grew({1, 2, 0x40}, MAPAUDIT_GROW_LOAD, {3, 100, 200});
    evidence.grew({1, 2, 0x40}, MAPAUDIT_GROW_LOAD, {2, 300, 400});
    evidence.grew({1, 2, 0x40}, MAPAUDIT_GROW_OVERFLOW, {1, 250, 250});
    evidence.grew({1, 2, 0x50}, MAPAUDIT_GROW_LOAD, {1, 500, 500});
    evidence.grew({1, 2, 0x60}, MAPAUDIT_GROW_LOAD, {0, 0, 0});
    const auto rows = rows_of(evidence);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].count, 5u) << "the most often first";
    EXPECT_EQ(rows[0].first_ns, 100u);
    EXPECT_EQ(rows[0].last_ns, 400u);
    EXPECT_EQ(rows[0].map->id.id, 2u);
    EXPECT_EQ(rows[0].map->id.pid, 1);
    EXPECT_EQ(rows[0].kind, model::EvidenceKind::growing);
}

TEST(GoEvidence, calls_of_one_place_map_and_operation_are_one_row) {
    GoEvidence evidence;
    evidence.called({0, 1, 0x40}, MAPAUDIT_OP_LOOKUP, 3);
    evidence.called({0, 1, 0x40}, MAPAUDIT_OP_LOOKUP, 4);
    evidence.called({0, 1, 0x40}, MAPAUDIT_OP_ASSIGN, 1);
    const auto rows = rows_of(evidence);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].kind, model::EvidenceKind::calling);
    EXPECT_EQ(rows[0].detail, static_cast<std::uint32_t>(MAPAUDIT_OP_LOOKUP));
    EXPECT_EQ(rows[0].count, 7u);
    EXPECT_EQ(rows[1].count, 1u);
}

TEST(GoEvidence, what_finds_no_room_is_counted) {
    GoEvidence evidence;
    constexpr std::uint64_t room = 1u << 14;
    for (std::uint64_t caller = 0; caller < room + 7; ++caller)
        evidence.grew({0, 1, caller}, MAPAUDIT_GROW_LOAD, {2, 1, 1});
    EXPECT_EQ(evidence.dropped(), 14u);
    evidence.grew({0, 1, 0}, MAPAUDIT_GROW_LOAD, {1, 1, 1});
    EXPECT_EQ(evidence.dropped(), 14u) << "those before keep theirs";
    for (int conflict = 0; conflict < 300; ++conflict) evidence.raced({});
    EXPECT_EQ(evidence.dropped(), 14u + 44u);
}

}  // namespace
}  // namespace mapaudit::sources
