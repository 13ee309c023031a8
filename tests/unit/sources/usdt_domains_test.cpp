// SPDX-License-Identifier: Apache-2.0
//
// Whose registry is whose, what the program is told of it, and how much memory it gets.
#include "sources/usdt/usdt_domains.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "sources/usdt/usdt_sizes.hpp"
#include "unit/sources/usdt_own_registry.hpp"

namespace mapaudit::sources {
namespace {

class Domains : public ::testing::Test {
protected:
    // A file with batch probes; 0: without a registry.
    static UsdtImage file(std::uint64_t registry, const char* probe = "batch") {
        UsdtImage image;
        image.probes = std::make_shared<const ElfProbes>(ElfProbes{{{probe, 0x10, 0x20}}});
        image.registry = registry;
        return image;
    }
    UsdtDomains::Tell noting() {
        return [this](std::uint32_t index, const wire_domain& domain) -> Result<void> {
            told.push_back({index, domain});
            return {};
        };
    }
    std::vector<std::uint32_t> places(const std::vector<UsdtImage>& images) {
        const auto added = domains.add(process, images);
        EXPECT_TRUE(added);
        return added ? *added : std::vector<std::uint32_t>{};
    }

    Process process = own_process();
    OwnRegistry first, second;
    UsdtDomains domains;
    std::vector<std::pair<std::uint32_t, wire_domain>> told;
};

using Places = std::vector<std::uint32_t>;

TEST_F(Domains, are_one_for_each_registry) {
    EXPECT_EQ(places({file(first.address()), file(0), file(second.address()), file(first.address())}),
              (Places{0, 0, 1, 0}));
    EXPECT_EQ(places({file(first.address())}), (Places{2})) << "of another process, by itself";
    ASSERT_EQ(domains.size(), 3u);
    EXPECT_EQ(domains[0].ordinal, 0u);
    EXPECT_EQ(domains[1].ordinal, 1u);
    EXPECT_EQ(domains[2].ordinal, 0u);
    EXPECT_EQ(domains.map_id(1, 5), (model::MapId{process.pid(), 1, 5}));
}

TEST_F(Domains, are_told_of_before_they_come_into_use) {
    places({file(first.address()), file(second.address()), file(0, "assign")});
    places({file(0, "assign")});
    ASSERT_TRUE(domains.introduce(1000, noting()));
    ASSERT_EQ(told.size(), 3u);
    EXPECT_EQ(told[0].second.registry, first.address());
    EXPECT_EQ(told[1].second.registry, second.address());
    EXPECT_EQ(told[2].second.registry, 0u) << "a provider that keeps none";
    second.comes_into_use();
    domains.refresh();
    EXPECT_FALSE(domains[0].in_use);
    EXPECT_TRUE(domains[1].in_use);
    EXPECT_FALSE(domains[2].in_use);
    EXPECT_EQ(told.size(), 3u);
}

TEST_F(Domains, share_the_threads_out) {
    first.comes_into_use();
    places({file(first.address())});
    places({file(second.address())});
    ASSERT_TRUE(domains.introduce(1000, noting()));
    ASSERT_EQ(told.size(), 2u);
    const wire_domain &a = told[0].second, &b = told[1].second;
    EXPECT_EQ(a.thread_base, 0u);
    EXPECT_EQ(a.thread_limit, 500u);
    EXPECT_EQ(b.thread_base, 500u);
    EXPECT_EQ(b.thread_limit, 500u);
    EXPECT_EQ(domains[1].thread_base, 500u);
    EXPECT_EQ(domains[1].thread_limit, 500u);
    EXPECT_GT(a.text[0].size, 0u);
    EXPECT_NE(a.pidns_inode, 0u);
}

TEST_F(Domains, tell_units_by_the_registrys_clock) {
    first.head.clock = MAPAUDIT_CLOCK_TICKS;
    second.head.clock = MAPAUDIT_CLOCK_MONOTONIC;
    first.comes_into_use();
    second.comes_into_use();
    places({file(first.address()), file(second.address())});
    places({file(first.address(), "assign")});
    ASSERT_TRUE(domains.introduce(1000, noting()));
    EXPECT_TRUE(domains[0].in_ticks);
    EXPECT_GT(domains.ns_per_unit(0), 0);
    EXPECT_FALSE(domains[1].in_ticks);
    EXPECT_EQ(domains.ns_per_unit(1), 1);
    EXPECT_TRUE(domains[2].one_by_one);
    EXPECT_EQ(domains.ns_per_unit(2), 1) << "without batches, figures are in ns whatever the clock";
}

TEST_F(Domains, that_are_too_many_or_of_another_version_are_refused) {
    first.comes_into_use();
    for (int i = 0; i < WIRE_MAX_DOMAINS; ++i) places({file(first.address())});
    EXPECT_FALSE(domains.add(process, {file(first.address())}));
    second.comes_into_use();
    second.head.version = MAPAUDIT_ABI_VERSION + 1;
    UsdtDomains others;
    const auto refused = others.add(process, {file(second.address())});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::no_target);
}

TEST_F(Domains, pass_on_that_the_program_could_not_be_told) {
    places({file(first.address())});
    const auto introduced = domains.introduce(
        10, [](std::uint32_t, const wire_domain&) -> Result<void> { return Error::of(Failure::failed, "no"); });
    ASSERT_FALSE(introduced);
    EXPECT_EQ(introduced.error().what, "no");
}

TEST_F(Domains, count_maps_alive_up_to_a_limit_a_registry) {
    first.head.maps_live = 3;
    second.head.maps_live = 1'000'000;  // it says
    first.comes_into_use();
    second.comes_into_use();
    places({file(first.address()), file(second.address())});
    EXPECT_EQ(domains.maps_alive(100), 103u);
}

TEST(Sizes, follow_the_maps_there_are_within_their_bounds) {
    const ProgramSizes few = choose_sizes({}, 3, 1, 2);
    EXPECT_EQ(few.lanes, 2u);
    EXPECT_EQ(few.others, 1u);
    EXPECT_EQ(few.cells, 3u + 1024 + 1);
    const ProgramSizes many = choose_sizes({}, 40'000, 2, 2);
    EXPECT_EQ(many.cells, 50'000u + 2);
    EXPECT_EQ(choose_sizes({}, 1'000'000, 1, 2).cells, largest_map_table + 1);
    EXPECT_EQ(choose_sizes({.max_maps = 16}, 1'000'000, 1, 2).cells, 17u);
    EXPECT_EQ(choose_sizes({.per_thread = true, .max_maps = 16}, 3, 1, 2).cells, 16u * 8 + 1);
    EXPECT_EQ(choose_sizes({.max_stacks = 7}, 3, 1, 2).stacks, 7u);
    EXPECT_EQ(few.stacks, 4096u);
}

TEST(Sizes, leave_pages_beyond_those_kept_for_others) {
    for (const std::uint32_t cpus : {1u, 2u, 256u})
        for (const std::uint32_t domains : {1u, 64u})
            for (const std::uint32_t asked : {0u, 1u, 100'000u}) {
                const ProgramSizes sizes = choose_sizes({.max_pages = asked}, 10, domains, cpus);
                EXPECT_GE(sizes.pages, sizes.pages_for_others() + 2) << cpus << " " << domains << " " << asked;
                EXPECT_GT(sizes.cells, sizes.others);
            }
}

}  // namespace
}  // namespace mapaudit::sources
