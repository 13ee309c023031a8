// SPDX-License-Identifier: Apache-2.0
//
// What is attached at which level and in what order, without attaching anything.
#include "sources/usdt/usdt_attachment.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "sources/usdt/usdt_sites.hpp"
#include "wire.h"

namespace mapaudit::sources {
namespace {

using model::Level;
using Lines = std::vector<std::string>;

ElfProbes probes_named(const Lines& names) {
    ElfProbes probes;
    for (const std::string& name : names) {
        const std::uint64_t n = probes.sites.size() + 1;
        probes.sites.push_back({name, 0x100 * n, 0x1000 + 8 * n});
    }
    return probes;
}

UsdtImage file_named(const std::string& path, const Lines& probes) {
    return {"", path, std::make_shared<const ElfProbes>(probes_named(probes)), 0};
}

const Lines all_probes{"batch",     "lookup", "erase",    "batch_sampled", "grow",     "assign",
                       "contended", "create", "evacuate", "released",      "conflict", "destroy"};

std::vector<std::uint64_t> ids(const std::vector<UprobeSite>& sites) {
    std::vector<std::uint64_t> ids;
    for (const UprobeSite& site : sites) ids.push_back(site.cookie & 0xff);
    return ids;
}

const std::vector<std::uint64_t> rare{WIRE_CONFLICT, WIRE_CONTENDED, WIRE_RELEASED, WIRE_GROW,
                                      WIRE_EVACUATE, WIRE_CREATE,    WIRE_DESTROY};

std::vector<std::uint64_t> rare_and(const std::vector<std::uint64_t>& more) {
    std::vector<std::uint64_t> all = rare;
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

TEST(Sites, of_a_level_are_the_rare_ones_and_last_the_batch_that_makes_it) {
    const ElfProbes probes = probes_named(all_probes);
    EXPECT_EQ(ids(choose_sites(probes, Level::full, 0, false)), rare_and({WIRE_BATCH}));
    EXPECT_EQ(ids(choose_sites(probes, Level::sampled, 0, false)), rare_and({WIRE_BATCH_SAMPLED}));
    EXPECT_EQ(ids(choose_sites(probes, Level::events, 0, false)), rare);
    EXPECT_EQ(ids(choose_sites(probes, Level::full, 0, true)), rare);
    EXPECT_EQ(ids(choose_hot(probes, Level::full, 0)), std::vector<std::uint64_t>{WIRE_BATCH});
    EXPECT_EQ(ids(choose_hot(probes, Level::sampled, 0)), std::vector<std::uint64_t>{WIRE_BATCH_SAMPLED});
    EXPECT_TRUE(choose_hot(probes, Level::events, 0).empty());
}

TEST(Sites, without_batches_are_those_of_single_operations_whatever_the_level_but_events) {
    const ElfProbes probes = probes_named({"erase", "assign", "grow", "lookup", "somebody_elses"});
    EXPECT_FALSE(has_batches(probes));
    const std::vector<std::uint64_t> wanted{WIRE_GROW, WIRE_ASSIGN, WIRE_LOOKUP, WIRE_ERASE};
    for (const Level level : {Level::full, Level::sampled})
        for (const bool without_hot : {false, true})
            EXPECT_EQ(ids(choose_sites(probes, level, 0, without_hot)), wanted);
    EXPECT_EQ(ids(choose_sites(probes, Level::events, 0, false)), std::vector<std::uint64_t>{WIRE_GROW});
}

TEST(Sites, carry_their_place_their_semaphore_and_their_domain) {
    const auto sites = choose_sites(probes_named({"batch"}), Level::full, 63, false);
    ASSERT_EQ(sites.size(), 1u);
    EXPECT_EQ(sites[0].offset, 0x100u);
    EXPECT_EQ(sites[0].semaphore_offset, 0x1008u);
    EXPECT_EQ(sites[0].cookie, WIRE_BATCH | 63u << 8);
}

// A process of its own, which can be ended.
class Ephemeral {
public:
    Ephemeral() : pid_(::fork()) {
        if (pid_ == 0) {
            for (;;) ::pause();
        }
    }
    ~Ephemeral() { end(); }
    Ephemeral(const Ephemeral&) = delete;
    pid_t pid() const { return pid_; }
    void end() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

private:
    pid_t pid_;
};

// Writes down who attaches and detaches what, in order.
class Attachment : public ::testing::Test {
protected:
    UsdtAttachment::Attach noting() {
        return [this](const UsdtImage& image, const Process&,
                      const std::vector<UprobeSite>& sites) -> Result<UsdtAttachment::Held> {
            const std::string what = image.path + ":" + std::to_string(sites.back().cookie & 0xff);
            if (what == refused) return Error::of(Failure::failed, "refused");
            lines.push_back("+" + what);
            return UsdtAttachment::Held(nullptr, [this, what](void*) { lines.push_back("-" + what); });
        };
    }
    void add(UsdtAttachment& attachment, const char* path, const Lines& names) {
        attachment.add(0, own, file_named(path, names));
    }
    // What was noted since the last call. What goes at once goes in no order that anybody promised: by name.
    Lines take() {
        for (auto at = lines.begin(); at != lines.end();) {
            const auto end = std::find_if(at, lines.end(), [](const std::string& line) { return line[0] != '-'; });
            std::sort(at, end);
            at = end == lines.end() ? end : end + 1;
        }
        return std::exchange(lines, {});
    }
    static std::string named(const char* path, wire_probe probe) {
        return std::string(path) + ":" + std::to_string(probe);
    }

    Process own = *Process::open(::getpid());
    Lines lines;
    std::string refused;
};

TEST_F(Attachment, that_does_not_change_is_one_link_a_file) {
    {
        UsdtAttachment attachment(false);
        add(attachment, "a", all_probes);
        add(attachment, "none", {});
        add(attachment, "b", {"grow", "batch"});
        ASSERT_TRUE(attachment.attach(noting(), Level::full));
        EXPECT_EQ(take(), (Lines{"+" + named("a", WIRE_BATCH), "+" + named("b", WIRE_BATCH)}));
    }
    EXPECT_EQ(take().size(), 2u) << "detached when it went";
}

TEST_F(Attachment, changes_level_with_the_new_probe_in_before_the_old_one_is_out) {
    UsdtAttachment attachment(true);
    add(attachment, "a", all_probes);
    add(attachment, "b", {"batch", "batch_sampled"});
    ASSERT_TRUE(attachment.attach(noting(), Level::full));
    EXPECT_EQ(take(),
              (Lines{"+" + named("a", WIRE_DESTROY), "+" + named("a", WIRE_BATCH), "+" + named("b", WIRE_BATCH)}));
    const auto both = [&] { lines.push_back("both"); };
    ASSERT_TRUE(attachment.change(Level::sampled, both));
    EXPECT_EQ(take(), (Lines{"+" + named("a", WIRE_BATCH_SAMPLED), "+" + named("b", WIRE_BATCH_SAMPLED), "both",
                             "-" + named("a", WIRE_BATCH), "-" + named("b", WIRE_BATCH)}));
    ASSERT_TRUE(attachment.change(Level::events, both));
    EXPECT_EQ(take(), (Lines{"both", "-" + named("a", WIRE_BATCH_SAMPLED), "-" + named("b", WIRE_BATCH_SAMPLED)}));
    ASSERT_TRUE(attachment.change(Level::full, both));
    EXPECT_EQ(take(), (Lines{"+" + named("a", WIRE_BATCH), "+" + named("b", WIRE_BATCH), "both"}));
    attachment.detach();
    EXPECT_EQ(take(),
              (Lines{"-" + named("a", WIRE_BATCH), "-" + named("a", WIRE_DESTROY), "-" + named("b", WIRE_BATCH)}));
}

TEST_F(Attachment, that_cannot_change_stays_as_it_was) {
    UsdtAttachment attachment(true);
    add(attachment, "a", all_probes);
    add(attachment, "b", {"batch", "batch_sampled"});
    ASSERT_TRUE(attachment.attach(noting(), Level::full));
    take();
    refused = named("b", WIRE_BATCH_SAMPLED);
    EXPECT_FALSE(attachment.change(Level::sampled, [] { FAIL(); }));
    EXPECT_EQ(take(), (Lines{"+" + named("a", WIRE_BATCH_SAMPLED), "-" + named("a", WIRE_BATCH_SAMPLED)}));
}

TEST_F(Attachment, is_to_all_files_or_to_none) {
    for (const bool switchable : {false, true}) {
        UsdtAttachment attachment(switchable);
        add(attachment, "a", all_probes);
        add(attachment, "b", {"batch"});
        refused = named("b", WIRE_BATCH);
        EXPECT_FALSE(attachment.attach(noting(), Level::full));
        int held = 0;
        for (const std::string& line : take()) held += line[0] == '+' ? 1 : -1;
        EXPECT_EQ(held, 0);
    }
}

TEST_F(Attachment, changes_without_the_processes_that_have_ended) {
    Ephemeral child;
    const Process other = *Process::open(child.pid());
    UsdtAttachment attachment(true);
    add(attachment, "own", {"batch", "batch_sampled"});
    attachment.add(1, other, file_named("other", {"batch", "batch_sampled"}));
    ASSERT_TRUE(attachment.attach(noting(), Level::full));
    EXPECT_EQ(take(), (Lines{"+" + named("own", WIRE_BATCH), "+" + named("other", WIRE_BATCH)}));
    child.end();
    ASSERT_TRUE(attachment.change(Level::sampled, [] {}));
    EXPECT_EQ(take(), (Lines{"+" + named("own", WIRE_BATCH_SAMPLED), "-" + named("other", WIRE_BATCH),
                             "-" + named("own", WIRE_BATCH)}));
}

}  // namespace
}  // namespace mapaudit::sources
