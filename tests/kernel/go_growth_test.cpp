// SPDX-License-Identifier: Apache-2.0
//
// The growths of a Go program's maps are as many as the program itself counts, map by map.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "go_target.hpp"
#include "sources/go/go_source.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;

using Figures = std::tuple<long, long, long>;  // growths, size, buckets

std::multiset<Figures> audited(const std::vector<CsvRow>& rows) {
    std::multiset<Figures> figures;
    for (const CsvRow& row : rows)
        figures.insert({std::stol(row.at("grows")), std::stol(row.at("size")), std::stol(row.at("buckets"))});
    return figures;
}

std::multiset<Figures> known(const nlohmann::json& maps) {
    std::multiset<Figures> figures;
    for (const auto& map : maps)
        if (map.at("growths").get<long>() != 0)
            figures.insert({map.at("growths").get<long>(), map.at("size").get<long>(), map.at("buckets").get<long>()});
    return figures;
}

const std::vector<std::string> growth_alone{"--level", "events"};

class GoGrowth : public testing::TestWithParam<const char*> {};

TEST_P(GoGrowth, OfOneMapIsExact) {
    const GoAudit audit = audit_go(GetParam(), {"fill", "10007"}, growth_alone);
    expect_balance(audit.auditor);
    const auto rows = own_maps(audit.csv);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(audited(rows), known(audit.known));
    const CsvRow& row = rows[0];
    EXPECT_EQ(row.at("source"), "go");
    EXPECT_EQ(row.at("map_kind"), "go classic");
    EXPECT_EQ(row.at("op"), "grow");
    EXPECT_EQ(row.at("calls"), row.at("grows"));
    EXPECT_THAT(row.at("map_name"),
                testing::MatchesRegex("map\\[int\\]int grower.go:[0-9]+ main.\\(\\*tracked\\).set"));
    EXPECT_NEAR(std::stod(row.at("load_factor")), 10007.0 / 2048, 0.001);
    // Innermost first, as the program was written.
    const std::string text = audit.auditor.said();
    const auto set = text.find("main.(*tracked).set (grower.go:"), fill = text.find("main.fill (grower.go:"),
               main = text.find("main.main (grower.go:");
    EXPECT_LT(set, fill) << text;
    EXPECT_LT(fill, main) << text;
    EXPECT_NE(main, std::string::npos);
    EXPECT_THAT(text, HasSubstr("with room for 10007 elements (make's size hint): it grew 11 times, most often in "
                                "main.(*tracked).set (grower.go:"));
}

INSTANTIATE_TEST_SUITE_P(Linked, GoGrowth, testing::Values("grower", "grower_stripped", "grower_pie"),
                         [](const auto& test) { return std::string(test.param); });

TEST(GoGrowthOf, ThreeHundredMaps) {
    const GoAudit audit = audit_go("grower", {"many", "307"}, growth_alone);
    expect_balance(audit.auditor);
    EXPECT_EQ(audited(own_maps(audit.csv)), known(audit.known));
}

TEST(GoGrowthOf, AMapThatIsEmptiedAgainAndAgainIsOneMap) {
    const GoAudit audit = audit_go("grower", {"emptied", "31"}, {"--level", "events", "-i", "0.02"});
    expect_balance(audit.auditor);
    const auto rows = own_maps(audit.csv);
    EXPECT_EQ(rows.size(), 1u);
    EXPECT_EQ(audited(rows), known(audit.known));
}

TEST(GoGrowthOf, MapsInEachOthersMemory) {
    const GoAudit audit = audit_go("grower", {"reused", "2003"}, {"--level", "events", "-i", "0.01"});
    expect_balance(audit.auditor);
    EXPECT_EQ(sum(own_maps(audit.csv), "grows"), audit.known.at(0).at("growths").get<long>());
    for (const CsvRow& row : audit.csv) {
        if (row.at("map_name").find(" main.") == std::string::npos || row.at("size").empty()) continue;
        EXPECT_LE(std::stol(row.at("size")), 500) << "no map had more";
        EXPECT_LE(std::stol(row.at("buckets")), 128);
    }
}

TEST(GoGrowthOf, TenThousandGoroutines) {
    const GoAudit audit = audit_go("grower", {"goroutines", "10007"}, {"--level", "events", "--max-maps", "100"});
    expect_balance(audit.auditor);
    const auto rows = own_maps(audit.csv);
    EXPECT_LE(rows.size(), 100u);
    EXPECT_EQ(sum(rows, "grows"), 3 * 10007);
    EXPECT_EQ(sum(rows, "grows"), audit.known.at(0).at("growths").get<long>());
}

TEST(GoGrowthOf, AssignmentsThatPanicAreNone) {
    const GoAudit audit = audit_go("grower", {"panics", "1009"}, growth_alone);
    expect_balance(audit.auditor);
    EXPECT_EQ(audited(own_maps(audit.csv)), known(audit.known));
    EXPECT_EQ(sum(rows_of(audit.csv, "total"), "conflicts"), 0);
}

TEST(GoGrowthOf, AProgramFromItsFirstInstructionOn) {
    const ScratchFolder scratch;
    Child auditor({MAPAUDIT_AUDITOR, "run", "--level", "events", "--csv", scratch.file("a.csv"), "--",
                   MAPAUDIT_GO_TARGETS "/grower", "fill", "997"},
                  Child::Input::pipe);
    ASSERT_TRUE(auditor.write_line("go"));
    auditor.end_input();
    const Finished finished = auditor.finish();
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const auto rows = own_maps(read_csv(scratch.file("a.csv")));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].at("grows"), "8");
    EXPECT_EQ(rows[0].at("buckets"), "256");
    EXPECT_THAT(rows[0].at("map_name"), HasSubstr("map[int]int grower.go:")) << "read though it has ended";
}

// A source of our own round a program's load.
struct InProcess {
    nlohmann::json known;
    model::Ledger ledger;
    std::vector<model::Row> rows;  // totals
    std::vector<model::Evidence> evidence;
};

InProcess audit_in_process(const std::vector<std::string>& arguments, const sources::GoOptions& options) {
    InProcess result;
    GoTarget target("grower", arguments);
    auto process = Process::open(target.pid());
    if (!process) throw std::runtime_error(process.error().line());
    auto go = sources::GoProcess::find(*process);
    if (!go || *go == nullptr) throw std::runtime_error("no Go program");
    std::vector<std::unique_ptr<sources::GoProcess>> processes;
    processes.push_back(std::move(*go));
    auto source = sources::GoSource::attach(std::move(processes), options);
    if (!source) throw std::runtime_error(source.error().line());
    result.known = target.load();
    model::Aggregator aggregator({});
    (*source)->detach(aggregator);
    result.ledger = (*source)->ledger();
    result.rows = aggregator.totals(1);
    result.evidence = (*source)->evidence();
    EXPECT_EQ(target.end().exit_code, 0);
    EXPECT_EQ(result.ledger.fired, result.ledger.handled + result.ledger.lost_total());
    return result;
}

std::uint64_t grown_by_main(const InProcess& audit) {
    std::uint64_t grows = 0;
    for (const model::Row& row : audit.rows)
        if (row.map->name.find(" main.") != std::string::npos) grows += row.grows;
    return grows;
}

// What the program counts of both kinds of growth is in the evidence, by reason.
TEST(GoGrowthOf, RepackingIsToldFromDoubling) {
    const InProcess audit = audit_in_process({"churn", "100003"}, {});
    std::map<std::uint32_t, std::uint64_t> by_reason;
    for (const model::Evidence& row : audit.evidence)
        if (const auto* frame = model::caller_of(row.stack, sources::go_traits);
            frame != nullptr && frame->function.starts_with("main."))
            by_reason[row.detail] += row.count;
    const auto growths = audit.known.at(0).at("growths").get<std::uint64_t>(),
               same_size = audit.known.at(0).at("same_size").get<std::uint64_t>();
    EXPECT_GT(same_size, 0u);
    EXPECT_EQ(by_reason[MAPAUDIT_GROW_OVERFLOW], same_size);
    EXPECT_EQ(by_reason[MAPAUDIT_GROW_LOAD], growths - same_size);
}

TEST(GoGrowthOf, MoreMapsThanTheTableHoldsAreCountedWhereTheyGrow) {
    sources::GoOptions options;
    options.sizes.growths = 16;
    const InProcess audit = audit_in_process({"many", "307"}, options);
    std::uint64_t known_growths = 0;
    for (const auto& map : audit.known) known_growths += map.at("growths").get<std::uint64_t>();
    EXPECT_EQ(audit.ledger.lost_total(), 0u);
    EXPECT_EQ(grown_by_main(audit), known_growths);
    EXPECT_TRUE(std::any_of(audit.rows.begin(), audit.rows.end(), [](const model::Row& row) {
        return row.map->name.ends_with(" (several)") && row.grows > 0;
    }));
}

TEST(GoGrowthOf, WhatFindsNoRoomAtAllIsLostAndSaid) {
    sources::GoOptions options;
    options.sizes.growths = options.sizes.sites = 1;
    // The first map has the table's row, the second that of its place, the third neither.
    const InProcess audit = audit_in_process({"three", "101"}, options);
    std::uint64_t known_growths = 0;
    for (const auto& map : audit.known) known_growths += map.at("growths").get<std::uint64_t>();
    EXPECT_GT(audit.ledger.lost_total(), 0u);
    EXPECT_GE(audit.ledger.fired, known_growths);
    ASSERT_EQ(audit.ledger.lost.size(), 1u);
    EXPECT_THAT(audit.ledger.lost[0].cause, HasSubstr("table of growths full"));
    std::uint64_t on_rows = 0;
    for (const model::Row& row : audit.rows)
        if (row.map->name == "(lost)") on_rows += row.lost;
    EXPECT_EQ(on_rows, audit.ledger.lost_total());
}

TEST(GoList, SaysWhatWasFound) {
    GoTarget target("grower_stripped", {"fill"});
    const Finished listed = run({MAPAUDIT_AUDITOR, "list", std::to_string(target.pid())});
    ASSERT_EQ(listed.exit_code, 0) << listed.err;
    EXPECT_THAT(listed.out, HasSubstr("source go  "));
    EXPECT_THAT(listed.out, HasSubstr("classic maps\n"));
    EXPECT_THAT(listed.out, HasSubstr("watched always, growth and fatal errors: "));
    EXPECT_THAT(listed.out, HasSubstr("runtime.hashGrow"));
    EXPECT_EQ(target.end().exit_code, 0);
}

TEST(GoSourceOption, OfAProgramThatIsNotGo) {
    const Child bare({"sleep", "60"});
    const Finished refused = run({MAPAUDIT_AUDITOR, "attach", "--source", "go", "-p", std::to_string(bare.pid())});
    EXPECT_EQ(refused.exit_code, 3);
    EXPECT_THAT(refused.err, HasSubstr("it is no Go program"));
    GoTarget target("grower", {"fill"});
    EXPECT_EQ(run({MAPAUDIT_AUDITOR, "attach", "--source", "usdt", "-p", std::to_string(target.pid())}).exit_code, 3);
}

}  // namespace
}  // namespace mapaudit::test
