// SPDX-License-Identifier: Apache-2.0
//
// Damaged Go programs: an error, or fewer functions, never a crash, a hang, or an answer outside of the file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "sources/go/binary/go_binary.hpp"
#include "support/audited_run.hpp"
#include "unit/sources/other_tools.hpp"

namespace mapaudit::sources {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Rounds of the test: more with MAPAUDIT_DAMAGE_ROUNDS, for a search.
int rounds(int usual) {
    const char* more = std::getenv("MAPAUDIT_DAMAGE_ROUNDS");
    return more == nullptr ? usual : std::atoi(more);
}

enum class Outcome { refused, not_go, read };

Outcome read_damaged(const std::string& path, const std::string& bytes, std::mt19937_64& random) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    const auto binary = GoBinary::read(path);
    if (!binary) {
        EXPECT_FALSE(binary.error().what.empty());
        return Outcome::refused;
    }
    if (!*binary) return Outcome::not_go;
    for (const GoFunction& function : (*binary)->functions()) {
        EXPECT_LT(function.probe_offset, bytes.size());
        for (const std::uint64_t offset : function.returns) EXPECT_LT(offset, bytes.size());
        (*binary)->line_of(function.entry);
    }
    if ((*binary)->functions().empty()) return Outcome::read;
    const std::uint64_t near = (*binary)->functions()[0].entry;
    for (int i = 0; i < 16; ++i) (*binary)->line_of(near + random() % 500'000);
    return Outcome::read;
}

class GoDamage : public testing::TestWithParam<const char*> {
protected:
    // Hits what is read most: the headers, and the places whose bytes the tables' magic and moduledata stand next to.
    std::vector<std::size_t> places(const std::string& bytes) const {
        std::vector<std::size_t> found{0};
        for (const char* magic : {"\xf0\xff\xff\xff\0\0\1\x08", "\xf1\xff\xff\xff\0\0\1\x08"})
            if (const std::size_t at = bytes.find(std::string(magic, 8)); at != std::string::npos) found.push_back(at);
        const std::size_t build_info = bytes.find("\xff Go buildinf:");
        if (build_info != std::string::npos) found.push_back(build_info);
        return found;
    }
};

TEST_P(GoDamage, OfSomeBytes) {
    const test::ScratchFolder folder;
    const std::string whole = read_file(go_program(GetParam()));
    const std::vector<std::size_t> at = places(whole);
    ASSERT_GE(at.size(), 3u);
    std::mt19937_64 random(7);
    int count[3] = {};
    for (int round = 0; round < rounds(150); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        std::string bytes = whole;
        const std::size_t from = at[static_cast<std::size_t>(round) % at.size()];
        const std::size_t range = round % 2 == 0 ? 512 : bytes.size() - from;
        for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips)
            bytes[from + random() % std::min(range, bytes.size() - from)] = static_cast<char>(random());
        ++count[static_cast<int>(read_damaged(folder.file("damaged"), bytes, random))];
    }
    EXPECT_GT(count[static_cast<int>(Outcome::refused)], 0);
    EXPECT_GT(count[static_cast<int>(Outcome::read)], 0);
}

TEST_P(GoDamage, OfItsEnd) {
    const test::ScratchFolder folder;
    const std::string whole = read_file(go_program(GetParam()));
    std::mt19937_64 random(7);
    for (int round = 0; round < rounds(60); ++round) {
        const std::size_t left = round < 20 ? random() % 4096 : random() % whole.size();
        SCOPED_TRACE(left);
        read_damaged(folder.file("damaged"), whole.substr(0, left), random);
    }
}

// A word that says how much, how far or where, everywhere in the headers, made as large as can be.
TEST_P(GoDamage, OfEachWordOfTheHeaders) {
    const test::ScratchFolder folder;
    const std::string whole = read_file(go_program(GetParam()));
    std::mt19937_64 random(7);
    for (const std::size_t from : places(whole))
        for (std::size_t word = 0; word < 0x180; word += 8)
            for (const char fill : {'\xff', '\x7f'}) {
                SCOPED_TRACE(from + word);
                std::string bytes = whole;
                bytes.replace(from + word, 8, 8, fill);
                read_damaged(folder.file("damaged"), bytes, random);
            }
}

INSTANTIATE_TEST_SUITE_P(Ways, GoDamage, testing::Values("plain_bare", "pie_bare", "cgo_pie_stripped"),
                         [](const auto& way) { return std::string(way.param); });

}  // namespace
}  // namespace mapaudit::sources
