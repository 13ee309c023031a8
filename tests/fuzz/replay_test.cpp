// SPDX-License-Identifier: Apache-2.0
// The fuzzer's body as a unit test: the corpus, and scripts drawn from fixed seeds.
#include "map_script.hpp"
#include "support/sanitized.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

namespace {

using script = std::vector<std::uint8_t>;

TEST(FuzzMaps, TheCorpusStillPasses) {
    unsigned replayed = 0;
    for (const auto& file : std::filesystem::directory_iterator(MAPAUDIT_TEST_DATA "/corpus")) {
        SCOPED_TRACE(file.path());
        std::ifstream in(file.path(), std::ios::binary);
        const script bytes{std::istreambuf_iterator<char>(in), {}};
        ASSERT_FALSE(bytes.empty());
        mapaudit_test::run_map_script(bytes);
        ++replayed;
    }
    EXPECT_GT(replayed, 3u);
}

TEST(FuzzMaps, ScriptsFromFixedSeedsPass) {
    for (unsigned seed = 1; seed <= mapaudit_test::seeds(150); ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        script bytes(16 + random() % 3'000);
        const unsigned keys = seed % 3 == 0 ? 8 : 256;  // few: the same ones come and go
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<std::uint8_t>(random() % (i % 2 == 0 ? 256 : keys));
        mapaudit_test::run_map_script(bytes);
    }
}

}  // namespace
