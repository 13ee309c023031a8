// SPDX-License-Identifier: Apache-2.0
//
// Damaged programs of ours: an error, or fewer probes, never a crash, a hang, or an answer outside of the file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "sources/usdt/usdt_notes.hpp"
#include "support/audited_run.hpp"
#include "unit/sources/elf_file.hpp"

namespace mapaudit::sources {
namespace {

// Rounds of the test: more with MAPAUDIT_DAMAGE_ROUNDS, for a search.
int rounds(int usual) {
    const char* more = std::getenv("MAPAUDIT_DAMAGE_ROUNDS");
    return more == nullptr ? usual : std::atoi(more);
}

enum class Outcome { refused, without_probes, read };

class UsdtDamage : public testing::Test {
protected:
    // Without what debuggers read: the file is written anew in each round.
    UsdtDamage() {
        const test::Finished stripped =
            test::run({MAPAUDIT_STRIP, "-g", "-o", folder_.file("whole"), MAPAUDIT_WORKLOAD});
        EXPECT_EQ(stripped.exit_code, 0) << stripped.err;
        std::ifstream file(folder_.file("whole"), std::ios::binary);
        whole_ = {std::istreambuf_iterator<char>(file), {}};
        const auto header = mapaudit_test::read_at<Elf64_Ehdr>(whole_, 0);
        places_ = {0, header.e_phoff, header.e_shoff};
        for (const char* name : {".note.stapsdt", ".note.mapaudit", ".shstrtab"}) {
            const std::size_t at = mapaudit_test::section_header(whole_, name);
            EXPECT_NE(at, 0u) << name;
            places_.push_back(at);
            places_.push_back(mapaudit_test::read_at<Elf64_Shdr>(whole_, at).sh_offset);
        }
    }

    Outcome read_damaged(const std::string& bytes) {
        const std::string path = folder_.file("damaged");
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        const auto probes = read_probes(path);
        if (!probes) {
            EXPECT_FALSE(probes.error().what.empty());
            return Outcome::refused;
        }
        for (const ProbeSite& site : probes->sites) {
            EXPECT_LT(site.offset, bytes.size());
            EXPECT_LT(site.semaphore_offset, bytes.size() - 1);
        }
        EXPECT_LE(probes->first_load_offset, bytes.size());
        return probes->sites.empty() ? Outcome::without_probes : Outcome::read;
    }

    test::ScratchFolder folder_;
    std::string whole_;
    std::vector<std::size_t> places_;  // what is read most
};

TEST_F(UsdtDamage, OfNothing) { EXPECT_EQ(read_damaged(whole_), Outcome::read); }

TEST_F(UsdtDamage, OfSomeBytes) {
    std::mt19937_64 random(7);
    int count[3] = {};
    for (int round = 0; round < rounds(300); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        std::string bytes = whole_;
        const std::size_t from = places_[static_cast<std::size_t>(round) % places_.size()];
        const std::size_t range = std::min<std::size_t>(round % 5 == 0 ? bytes.size() : 256, bytes.size() - from);
        for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips)
            bytes[from + random() % range] = static_cast<char>(random());
        ++count[static_cast<int>(read_damaged(bytes))];
    }
    for (const Outcome outcome : {Outcome::refused, Outcome::without_probes, Outcome::read})
        EXPECT_GT(count[static_cast<int>(outcome)], 0) << static_cast<int>(outcome);
}

TEST_F(UsdtDamage, OfItsEnd) {
    std::mt19937_64 random(7);
    for (int round = 0; round < rounds(60); ++round) {
        const std::size_t left = round < 20 ? random() % 4096 : random() % whole_.size();
        SCOPED_TRACE(left);
        EXPECT_NE(read_damaged(whole_.substr(0, left)), Outcome::read) << "the headers of its sections are at its end";
    }
}

// A word that says how much, how far or where, everywhere in the headers and notes, made as large as can be.
TEST_F(UsdtDamage, OfEachWordOfWhatIsRead) {
    for (const std::size_t from : places_)
        for (std::size_t word = 0; word < 0x80; word += 4)
            for (const char fill : {'\xff', '\x7f', '\0'}) {
                SCOPED_TRACE(from + word);
                if (from + word + 4 > whole_.size()) continue;
                std::string bytes = whole_;
                bytes.replace(from + word, 4, 4, fill);
                read_damaged(bytes);
            }
}

}  // namespace
}  // namespace mapaudit::sources
