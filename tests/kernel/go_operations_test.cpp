// SPDX-License-Identifier: Apache-2.0
//
// The operations on a Go program's maps are as many as the program itself counts, map by map; they are timed and looked
// at for conflicts where that was asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <ostream>
#include <regex>
#include <set>
#include <tuple>

#include "go_target.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const char* const operations[] = {"assign", "lookup", "erase", "iterate"};

// By operation, in their order.
using Counts = std::array<std::uint64_t, std::size(operations)>;
// The counts of each map; maps are told apart by type where a type has but one.
using Counted = std::multiset<std::pair<std::string, Counts>>;

Counted known(const nlohmann::json& maps) {
    Counted all;
    for (const auto& map : maps) {
        Counts counts{};
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = map.at(operations[i]).get<std::uint64_t>();
        all.emplace(map.at("type").get<std::string>(), counts);
    }
    return all;
}

// "map[interface {}]int" of "map[interface {}]int operator_corners.go:20 main.panics".
std::string type_of(const CsvRow& row) {
    const std::string& name = row.at("map_name");
    return name.substr(0, name.find(" operator"));
}

// They stand in the name of who called the sync.Map, as far as the auditor looks past the standard library.
bool within_sync_map(const CsvRow& row) { return row.at("map_name").starts_with("map[interface {}]*sync.entry "); }

bool stands_for_several(const CsvRow& row) { return row.at("map_name").ends_with(" (several)"); }

std::vector<CsvRow> operations_of(const std::vector<CsvRow>& rows) {
    std::vector<CsvRow> all;
    for (const CsvRow& row : rows)
        if (row.at("op") != "grow") all.push_back(row);
    return all;
}

Counted audited(const std::vector<CsvRow>& rows) {
    // Maps without an address of their own share a row for each place: one for each type here.
    std::map<std::pair<std::string, std::string>, Counts> maps;
    for (const CsvRow& row : rows) {
        const auto op = std::find(std::begin(operations), std::end(operations), row.at("op"));
        if (op == std::end(operations)) {
            ADD_FAILURE() << "no operation: " << row.at("op");
            continue;
        }
        Counts& counts = maps[{type_of(row), stands_for_several(row) ? "several" : row.at("map_id")}];
        counts[static_cast<std::size_t>(op - std::begin(operations))] += std::stoull(row.at("calls"));
    }
    Counted all;
    for (const auto& [map, counts] : maps) all.emplace(map.first, counts);
    return all;
}

// How the auditor is to look: in each of these ways it sees every call.
struct Way {
    const char* name;
    std::vector<std::string> options;
    bool timed;
    friend void PrintTo(const Way& way, std::ostream* to) { *to << way.name; }
};
const Way ways[] = {
    {"full", {"--level", "full"}, false},
    {"sampled", {"--level", "sampled", "--max-overhead", "100"}, false},
    {"races", {"--races", "--max-overhead", "100"}, true},
};

void expect_plausible(const CsvRow& row, bool timed) {
    SCOPED_TRACE(row.at("map_name") + ", " + row.at("op"));
    EXPECT_EQ(row.at("source"), "go");
    EXPECT_EQ(row.at("map_kind"), "go classic");
    EXPECT_EQ(row.at("estimated"), "0");
    EXPECT_EQ(row.at("conflicts"), "0");
    EXPECT_EQ(row.at("lost"), "0");
    if (type_of(row) == "map[int8]int") return;  // a nil map: what assigns to it panics and never returns
    if (!timed || row.at("calls") == "0") {
        EXPECT_EQ(row.at("p50_ns"), "");
        EXPECT_EQ(row.at("max_ns"), "");
        return;
    }
    ASSERT_NE(row.at("p50_ns"), "");
    if (type_of(row) != "map[interface {}]int") {  // half of which panic, in one of the modes
        EXPECT_LT(std::stod(row.at("weight")), 1.01) << "every call is timed";
    }
    EXPECT_GT(std::stod(row.at("mean_ns")), 0);
    EXPECT_LE(std::stod(row.at("p50_ns")), std::stod(row.at("p99_ns")));
    EXPECT_LE(std::stod(row.at("p99_ns")), std::stod(row.at("max_ns")));
}

class GoOperations : public testing::TestWithParam<std::tuple<const char*, Way>> {};

TEST_P(GoOperations, AreExactAndNoConflict) {
    const auto& [mode, way] = GetParam();
    std::vector<std::string> arguments{mode}, options = way.options;
    if (mode == std::string("shared"))
        arguments.push_back(std::to_string(asked("MAPAUDIT_GO_OPERATIONS", way.timed ? 100003 : 1000003)));
    options.push_back("--fail-on-conflict");
    const GoAudit audit = audit_go("operator", arguments, options);
    expect_balance(audit.auditor);
    auto rows = operations_of(own_maps(audit.csv));
    std::erase_if(rows, within_sync_map);
    EXPECT_EQ(audited(rows), known(audit.known)) << audit.auditor.said();
    for (const CsvRow& row : rows) expect_plausible(row, way.timed);
    for (const auto& map : audit.known)
        for (const CsvRow& row : rows)
            if (type_of(row) == map.at("type")) {
                EXPECT_EQ(stands_for_several(row), map.at("several").get<bool>()) << row.at("map_name");
            }
    // What the standard library does with maps of theirs (sync.Map) is none either.
    for (const CsvRow& row : rows_of(audit.csv, "total")) EXPECT_EQ(row.at("conflicts"), "0") << row.at("map_name");
    EXPECT_THAT(audit.auditor.said(), Not(HasSubstr(": observed ")));
}

INSTANTIATE_TEST_SUITE_P(Modes, GoOperations,
                         testing::Combine(testing::Values("kinds", "generic", "shared", "syncmap", "sharded", "panics",
                                                          "deep", "crowd", "onstack", "emptied"),
                                          testing::ValuesIn(ways)),
                         [](const auto& test) {
                             return std::string(std::get<0>(test.param)) + '_' + std::get<1>(test.param).name;
                         });

TEST(GoOperationsOf, AProgramAreNotWatchedAtLevelEvents) {
    const GoAudit audit = audit_go("operator", {"kinds"}, {"--level", "events"});
    expect_balance(audit.auditor);
    const auto rows = own_maps(audit.csv);
    EXPECT_GT(rows.size(), 0u);
    EXPECT_EQ(operations_of(rows).size(), 0u);
}

// It makes a new map whenever its old one is used up: thousands of them, more than have a row each.
TEST(GoOperationsOf, TheMapsWithinASyncMapAreSeen) {
    const GoAudit audit = audit_go("operator", {"syncmap", "100003"}, {"--level", "full"});
    expect_balance(audit.auditor);
    long calls = 0;
    for (const CsvRow& row : operations_of(rows_of(audit.csv, "total")))
        if (within_sync_map(row) || row.at("map_name") == "(other)") calls += std::stol(row.at("calls"));
    EXPECT_GE(calls, 100003) << "one at least for each operation, and the copies";
}

// A program at a steady rate, in the windows of a default budget, on a machine with and without other work.
struct Steady {
    const char* name;
    const char* per_second;
    int neighbours;
    friend void PrintTo(const Steady& steady, std::ostream* to) { *to << steady.name; }
};

class GoWindowsOf : public testing::TestWithParam<Steady> {};

// The largest error that the summary states, as a share; infinite where it says that there is no estimate.
double stated_error(const std::string& summary) {
    if (summary.find("Calls with ≥") != std::string::npos) return std::numeric_limits<double>::infinity();
    const std::size_t line = summary.find("Calls with ≈");
    if (line == std::string::npos) return 0;
    const std::string text = summary.substr(line, summary.find('\n', line) - line);
    static const std::regex figure("± ([0-9.]+) %");
    double error = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), figure), end; at != end; ++at)
        error = std::max(error, std::stod((*at)[1]) / 100);
    return error;
}

TEST_P(GoWindowsOf, TheTruthLiesWithinTheStatedError) {
    std::vector<std::unique_ptr<Child>> neighbours;
    for (int i = 0; i < GetParam().neighbours; ++i)
        neighbours.push_back(std::make_unique<Child>(std::vector<std::string>{"sh", "-c", "while :; do :; done"}));
    const ScratchFolder scratch;
    const std::string csv = scratch.file("a.csv");
    GoTarget target("operator", {"steady", GetParam().per_second});
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "--csv", csv, "--level", "sampled",
                   "--fail-on-loss"});
    ASSERT_TRUE(auditor.wait_for("attached to")) << auditor.err();
    ASSERT_TRUE(target.child().write_line("go"));
    const auto audited_s = [&csv] {
        double elapsed_s = 0;
        for (const CsvRow& row : rows_so_far(csv))
            if (row.at("op") == "assign") elapsed_s = std::stod(row.at("elapsed_s"));
        return elapsed_s;
    };
    ASSERT_TRUE(comes_true(
        "30 s of audit", [&] { return audited_s() >= 30; }, std::chrono::seconds(120)))
        << auditor.err();
    const Finished ended = target.end();
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    const Finished finished = auditor.finish();
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    expect_balance(finished);

    const auto truth = nlohmann::json::parse(ended.out.substr(ended.out.find('\n'))).at(0);
    const double error = stated_error(finished.said());
    EXPECT_GT(error, 0) << finished.out;
    std::map<std::string, double> estimates;
    for (const CsvRow& row : operations_of(own_maps(read_csv(csv)))) {
        EXPECT_EQ(row.at("map_name").find("map[int]int operator.go:"), 0u) << row.at("map_name");
        EXPECT_EQ(row.at("estimated"), "1") << row.at("op");
        EXPECT_EQ(row.at("p50_ns"), "");
        estimates[row.at("op")] += std::stod(row.at("calls"));
    }
    for (const char* op : operations) {
        const double exact = truth.at(op).get<double>(), estimate = estimates[op];
        RecordProperty(op, std::to_string(estimate / exact) + " of the truth, stated ± " + std::to_string(error));
        // 19 of 20 cases lie within the error, all within twice of it. Without an estimate, it is what was seen.
        if (std::isfinite(error))
            EXPECT_NEAR(estimate, exact, 2 * error * estimate) << op << ", stated ± " << error;
        else
            EXPECT_LT(estimate, exact) << op;
    }
    EXPECT_EQ(estimates.size(), std::size(operations));
}

INSTANTIATE_TEST_SUITE_P(Steady, GoWindowsOf,
                         testing::Values(Steady{"alone", "400009", 0}, Steady{"beside_two", "400009", 2},
                                         Steady{"light_alone", "40009", 0}, Steady{"light_beside_two", "40009", 2}),
                         [](const auto& test) { return std::string(test.param.name); });

// One side of a conflict as the summary prints it.
struct Side {
    long goroutine = 0;
    std::string stack;
};

std::vector<Side> sides_of(const std::string& conflict) {
    static const std::regex heading("goroutine ([0-9]+) in\n");
    std::vector<Side> sides;
    for (std::sregex_iterator at(conflict.begin(), conflict.end(), heading), end; at != end; ++at) {
        const auto begin = static_cast<std::size_t>(at->position() + at->length());
        sides.push_back({std::stol((*at)[1]), conflict.substr(begin, conflict.find(" in\n", begin) - begin)});
    }
    return sides;
}

// The conflicts of one kind of which both sides are known; of what the runtime itself finds, one is not.
std::vector<std::vector<Side>> conflicts_in(const std::string& summary, const std::string& kind) {
    std::vector<std::vector<Side>> conflicts;
    for (std::size_t at = summary.find("    " + kind); at != std::string::npos;
         at = summary.find("    " + kind, at + 1)) {
        auto sides = sides_of(block_of(summary, kind, at));
        if (sides.size() == 2) conflicts.push_back(std::move(sides));
    }
    return conflicts;
}

struct Race {
    const char* mode;
    const char* kind;
    const char* beside;  // the function of goroutine 1; the other one renews
};

class GoRaces : public testing::TestWithParam<Race> {};

// As soon as one was seen the audit ends: long before the runtime's own check, as a rule, which ends the program.
TEST_P(GoRaces, BothGoroutinesAndBothStacksAreTold) {
    const Race& race = GetParam();
    const ScratchFolder scratch;
    const std::string csv = scratch.file("a.csv");
    GoTarget target("racer", {race.mode, "100"});
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "--csv", csv, "--races",
                   "--max-overhead", "100", "--stacks", "--fail-on-conflict", "--fail-on-loss", "-i", "0.1"});
    ASSERT_TRUE(auditor.wait_for("attached to")) << auditor.err();
    ASSERT_TRUE(target.child().write_line("go"));
    EXPECT_TRUE(comes_true("a conflict", [&] { return sum(rows_so_far(csv), "conflicts") > 0; }));
    auditor.send(SIGINT);
    const Finished audited = auditor.finish();
    EXPECT_EQ(audited.exit_code, 5) << audited.said();
    expect_balance(audited);

    long of_operations = 0;
    for (const CsvRow& row : rows_of(read_csv(csv), "total")) {
        if (row.at("conflicts") == "0") continue;
        EXPECT_THAT(row.at("map_name"), testing::StartsWith("map[string]int racer.go:"));
        EXPECT_EQ(row.at("map_kind"), "go classic");
        if (row.at("op") != "grow") of_operations += std::stol(row.at("conflicts"));
    }
    EXPECT_GT(of_operations, 0);
    const auto conflicts = conflicts_in(audited.said(), race.kind);
    EXPECT_FALSE(conflicts.empty()) << audited.said();
    for (const auto& sides : conflicts) {
        const bool first_is_main = sides[0].goroutine == 1;
        const Side &main = sides[first_is_main ? 0 : 1], &other = sides[first_is_main ? 1 : 0];
        EXPECT_EQ(main.goroutine, 1);
        EXPECT_GT(other.goroutine, 1);
        EXPECT_THAT(main.stack, HasSubstr(std::string("main.(*registry).") + race.beside + " (racer.go:"));
        EXPECT_THAT(main.stack, HasSubstr("main.main (racer.go:"));
        EXPECT_THAT(other.stack, HasSubstr("main.(*registry).renew (racer.go:"));
        EXPECT_THAT(other.stack, HasSubstr("main.repeat (racer.go:"));
        EXPECT_THAT(other.stack, Not(HasSubstr("main.main (racer.go:")));
    }
}

INSTANTIATE_TEST_SUITE_P(Of, GoRaces,
                         testing::Values(Race{"writers", "concurrent writes", "renew"},
                                         Race{"reader", "a read beside a write", "find"},
                                         Race{"iterator", "an iteration beside a write", "anyone"}),
                         [](const auto& test) { return std::string(test.param.mode); });

// Left alone, the program comes to the end that its runtime has for it, and both have seen it.
TEST_P(GoRaces, TheRuntimesErrorEndsTheAudit) {
    const Race& race = GetParam();
    for (const Way& way : ways) {
        SCOPED_TRACE(way.name);
        GoTarget target("racer", {race.mode});
        std::vector<std::string> argv{MAPAUDIT_AUDITOR,    "attach", "-p", std::to_string(target.pid()), "--stacks",
                                      "--fail-on-conflict"};
        argv.insert(argv.end(), way.options.begin(), way.options.end());
        Child auditor(argv);
        ASSERT_TRUE(auditor.wait_for("attached to")) << auditor.err();
        ASSERT_TRUE(target.child().write_line("go"));
        const Finished raced = target.child().finish();
        EXPECT_EQ(raced.exit_code, 2) << "as the runtime ends it";
        EXPECT_THAT(raced.err, HasSubstr("fatal error: concurrent map "));
        const Finished audited = auditor.finish();
        EXPECT_EQ(audited.exit_code, 5) << audited.said();
        EXPECT_THAT(audited.said(), HasSubstr(std::string("    ") + race.kind));
        expect_balance(audited);
    }
}

}  // namespace
}  // namespace mapaudit::test
