// SPDX-License-Identifier: Apache-2.0
//
// Stock programs, built by other people's Go, with classic maps and with Swiss ones, under load: what they answer stays
// right, what grew is seen, and it adds up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "go_samples.hpp"
#include "sources/go/go_process.hpp"
#include "sources/go/go_programs.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int modules = 997, requests = 7;

void expect_plausible(const CsvRow& row, const std::string& kind) {
    SCOPED_TRACE(row.at("map_name"));
    EXPECT_EQ(row.at("source"), "go");
    EXPECT_EQ(row.at("conflicts"), "0");
    if (row.at("map_name") == "(other)") return;
    EXPECT_EQ(row.at("map_kind"), kind);
    // "map[string]int x.go:1 main.f", "http.Header header.go:22 …": a type that has a name, and a place.
    EXPECT_THAT(row.at("map_name"), testing::ContainsRegex("^[^ ]+.* [^ ]+\\.go:[0-9]+ [^ ]+"));
    EXPECT_THAT(row.at("map_name"), testing::Not(StartsWith("map ")));
    if (row.at("op") != "grow") return;
    EXPECT_EQ(row.at("calls"), row.at("grows"));
    if (row.at("buckets").empty()) return;  // several maps
    const long size = std::stol(row.at("size")), buckets = std::stol(row.at("buckets"));
    EXPECT_GE(buckets, 2) << "it has grown";
    if (buckets <= 128) {
        EXPECT_EQ(buckets & (buckets - 1), 0) << buckets;
    }
    EXPECT_LE(size, (kind == "go swiss" ? 7 : 13) * buckets);
}

struct Sample {
    const char* name;
    const char* kind;
};

class GoStock : public testing::TestWithParam<Sample> {
protected:
    void SetUp() override {
        program_ = go_sample(GetParam().name);
        if (program_.empty())
            GTEST_SKIP() << "no program of " << GetParam().name << ": scripts/go_samples.sh " MAPAUDIT_GO_SAMPLES
                         << " fetches one";
    }
    std::string program_;
};

TEST_P(GoStock, ABundlerUnderLoadIsRightAndItsGrowthIsSeen) {
    EsbuildServer server(program_, modules);
    ASSERT_NO_FATAL_FAILURE(server.start());
    server.expect_right_answer();
    const ScratchFolder scratch;
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(server.pid()), "--csv", scratch.file("a.csv"),
                   "--stacks", "--level", "events", "--fail-on-loss", "-i", "0.2"});
    ASSERT_TRUE(auditor.wait_for("attached to")) << auditor.err();
    for (int i = 0; i < requests; ++i) server.expect_right_answer();
    auditor.send(SIGINT);
    const Finished finished = auditor.finish();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    server.expect_right_answer();
    server.stop();

    const LedgerLine ledger = ledger_of(finished);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_EQ(ledger.lost, 0u);
    std::uint64_t grows = 0;
    for (const CsvRow& row : rows_of(read_csv(scratch.file("a.csv")), "total")) {
        expect_plausible(row, GetParam().kind);
        EXPECT_EQ(row.at("op"), "grow") << "nobody has asked for more";
        grows += std::stoul(row.at("grows"));
    }
    EXPECT_EQ(grows, ledger.handled);
    EXPECT_GT(grows, static_cast<std::uint64_t>(modules) * requests) << "each module has maps of its own";
    EXPECT_THAT(finished.said(), HasSubstr("github.com/evanw/esbuild/")) << "what grows them is the program's code";
}

// The probes of each operation, and of each RET, come and go while it works.
TEST_P(GoStock, ABundlerWhoseOperationsAreWatchedIsRight) {
    EsbuildServer server(program_, modules);
    ASSERT_NO_FATAL_FAILURE(server.start());
    server.expect_right_answer();
    for (const std::string level : {"full", "sampled", "auto", "races"}) {
        SCOPED_TRACE(level);
        const bool races = level == "races";
        const ScratchFolder scratch;
        Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(server.pid()), "--csv", scratch.file("a.csv"),
                       races ? "--races" : "--level=" + level, "--fail-on-loss", "--fail-on-conflict", "-i", "0.2"});
        ASSERT_TRUE(auditor.wait_for("attached to")) << auditor.err();
        for (int i = 0; i < requests; ++i) server.expect_right_answer();
        auditor.send(SIGINT);
        const Finished finished = auditor.finish();
        EXPECT_EQ(finished.exit_code, 0) << finished.err;
        expect_balance(finished);
        std::map<std::string, std::uint64_t> calls;
        bool estimated = false, timed = false;
        for (const CsvRow& row : rows_of(read_csv(scratch.file("a.csv")), "total")) {
            expect_plausible(row, GetParam().kind);
            calls[row.at("op")] += std::stoull(row.at("calls"));
            estimated = estimated || row.at("estimated") == "1";
            timed = timed || (row.at("op") == "lookup" && !row.at("p50_ns").empty());
        }
        for (const char* op : {"assign", "lookup", "iterate"}) EXPECT_GT(calls[op], 0u) << op;
        EXPECT_EQ(estimated, level != "full");
        EXPECT_EQ(timed, races);
        if (level == "full") {
            EXPECT_GT(calls["assign"], static_cast<std::uint64_t>(modules) * requests);
            EXPECT_EQ(calls["assign"] + calls["lookup"] + calls["erase"] + calls["iterate"] + calls["grow"],
                      ledger_of(finished).handled);
        }
    }
    server.expect_right_answer();
    server.stop();
}

INSTANTIATE_TEST_SUITE_P(Bundlers, GoStock,
                         testing::Values(Sample{"go1.23", "go classic"}, Sample{"go1.25", "go swiss"}),
                         [](const auto& test) { return std::string(test.param.kind + 3); });

// All growths of one map, whatever called for them.
struct Grown {
    std::uint64_t doublings = 0, same_size = 0, added = 0;
    int first_log2 = 255, last_log2 = 0;
};

using GrownMaps = std::map<std::pair<std::uint64_t, std::uint32_t>, Grown>;

GrownMaps by_map(const std::vector<sources::GoGrowth>& rows) {
    GrownMaps maps;
    for (const sources::GoGrowth& row : rows) {
        Grown& map = maps[{row.key.map, row.key.seed}];
        map.doublings += row.value.doublings;
        map.same_size += row.value.same_size;
        map.added += row.value.buckets_added;
        map.first_log2 = std::min<int>(map.first_log2, row.value.first_log2);
        map.last_log2 = std::max<int>(map.last_log2, row.value.last_log2);
    }
    return maps;
}

// The rows as the kernel hands them over: a map of one table grows by doubling, one step after the other.
TEST(GoSwiss, EachGrowthDoublesATable) {
    const std::string program = go_sample("go1.25");
    if (program.empty()) GTEST_SKIP() << "no program with Swiss maps";
    EsbuildServer server(program, modules);
    ASSERT_NO_FATAL_FAILURE(server.start());
    auto process = Process::open(server.pid());
    ASSERT_TRUE(process);
    auto go = sources::GoProcess::find(*process);
    ASSERT_TRUE(go) << go.error().line();
    ASSERT_NE(*go, nullptr);
    const auto mechanism = sources::probe_uprobe_mechanism();
    sources::GoSizes sizes;
    sizes.growths = 1u << 18;
    auto programs = sources::GoPrograms::load(sizes, mechanism);
    ASSERT_TRUE(programs) << programs.error().line();
    constexpr auto rare = sources::GoProbes::rare;
    auto link = sources::UprobeLink::attach(mechanism, (*programs)->program_fd(rare), (*go)->attach_path(),
                                            server.pid(), (*go)->sites(rare, 0));
    ASSERT_TRUE(link) << link.error().line();
    server.expect_right_answer();
    { const sources::UprobeLink detached = std::move(*link); }
    const auto rows = (*programs)->take().growths;
    const wire_go_ledger ledger = (*programs)->ledger();
    EXPECT_EQ(ledger.fired, ledger.handled);

    std::size_t from_small = 0, of_one_table = 0;
    for (const auto& [key, map] : by_map(rows)) {
        if (map.last_log2 > static_cast<int>(WIRE_GO_LARGEST_TABLE_LOG2)) continue;
        SCOPED_TRACE(testing::Message() << std::hex << key.first);
        ++of_one_table;
        if (map.first_log2 == 0) ++from_small;
        EXPECT_EQ(map.same_size, 0u);
        EXPECT_EQ(map.doublings, static_cast<std::uint64_t>(map.last_log2 - map.first_log2));
        EXPECT_EQ(map.added, (1ull << map.last_log2) - (1ull << map.first_log2));
    }
    EXPECT_GT(of_one_table, static_cast<std::size_t>(modules));
    EXPECT_GT(from_small, 0u);
}

// The newest one: short-lived, so from its first instruction on.
TEST(GoSwiss, AProgramOfGo127FromItsFirstInstructionOn) {
    const std::string program = go_sample("go1.27");
    if (program.empty()) GTEST_SKIP() << "no program of Go 1.27";
    const Finished alone = run({program, "--help"});
    const ScratchFolder scratch;
    const Finished audited =
        run({MAPAUDIT_AUDITOR, "run", "--csv", scratch.file("a.csv"), "--fail-on-loss", "--", program, "--help"});
    EXPECT_EQ(audited.exit_code, alone.exit_code) << audited.err;
    EXPECT_THAT(audited.out, HasSubstr(alone.out)) << "beside the rows of the auditor";
    const LedgerLine ledger = ledger_of(audited);
    EXPECT_EQ(ledger.fired, ledger.handled);
    EXPECT_GT(ledger.handled, 10u);
    for (const CsvRow& row : rows_of(read_csv(scratch.file("a.csv")), "total")) expect_plausible(row, "go swiss");
}

}  // namespace
}  // namespace mapaudit::test
