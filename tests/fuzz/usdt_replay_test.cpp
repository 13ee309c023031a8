// SPDX-License-Identifier: Apache-2.0
// The fuzzer body of the notes' parser as a unit test: the corpus, and edits drawn from fixed seeds.
#include "usdt_edits.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

namespace {

using script = std::vector<std::uint8_t>;

TEST(FuzzUsdt, WithoutEditsEachProgramIsRead) {
    for (std::uint8_t program = 0; program < 2; ++program)
        EXPECT_EQ(mapaudit_test::run_usdt_edits(script{program, 0, 0}), 12u) << int{program};
}

TEST(FuzzUsdt, WithoutItsEndNoneIs) {
    for (std::uint8_t program = 0; program < 2; ++program)
        EXPECT_EQ(mapaudit_test::run_usdt_edits(script{program, 0, 128}), 0u) << int{program};
}

TEST(FuzzUsdt, TheCorpusStillPasses) {
    unsigned replayed = 0;
    for (const auto& file : std::filesystem::directory_iterator(MAPAUDIT_TEST_DATA "/corpus_usdt")) {
        SCOPED_TRACE(file.path());
        std::ifstream in(file.path(), std::ios::binary);
        const script bytes{std::istreambuf_iterator<char>(in), {}};
        ASSERT_FALSE(bytes.empty());
        mapaudit_test::run_usdt_edits(bytes);
        ++replayed;
    }
    EXPECT_GT(replayed, 3u);
}

TEST(FuzzUsdt, EditsFromFixedSeedsPass) {
    unsigned read = 0, refused = 0;
    for (unsigned seed = 1; seed <= 500; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        script bytes{static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random() % 8 == 0 ? random() : 0),
                     static_cast<std::uint8_t>(random() % 8 == 0 ? random() : 0)};
        for (unsigned edits = 1 + random() % 6; edits > 0; --edits) {
            bytes.push_back(static_cast<std::uint8_t>(random()));
            bytes.push_back(static_cast<std::uint8_t>(random()));
            bytes.push_back(static_cast<std::uint8_t>(random() % 2 == 0 ? 0 : random()));  // near the place
            bytes.push_back(static_cast<std::uint8_t>(random()));
            bytes.push_back(static_cast<std::uint8_t>(random()));
        }
        ++(mapaudit_test::run_usdt_edits(bytes) != 0 ? read : refused);
    }
    EXPECT_GT(read, 0u);
    EXPECT_GT(refused, 0u);
}

}  // namespace
