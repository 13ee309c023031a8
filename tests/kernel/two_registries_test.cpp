// SPDX-License-Identifier: Apache-2.0
//
// A program and a library with maps: of equal ids, names and kinds in a registry each, where each is shown by itself in
// every output; and in one registry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

// Audits the program with the library while each fills its map; leaves a.csv behind.
Finished audit(const std::string& library, const ScratchFolder& scratch) {
    const std::string prefix = MAPAUDIT_TARGETS;
    Child target({prefix + "two_registries", prefix + library}, Child::Input::pipe);
    EXPECT_TRUE(target.wait_for("ready")) << target.err();
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "--level", "full", "--plain",
                   "--csv", scratch.file("a.csv")});
    EXPECT_TRUE(target.wait_for("filled")) << target.err();
    target.end_input();
    return auditor.finish();
}

TEST(TwoRegistries, MapsThatDifferInNothingElseAreTwo) {
    const ScratchFolder scratch;
    const Finished done = audit("two_registries_library.so", scratch);
    ASSERT_EQ(done.exit_code, 0) << done.err;

    std::set<std::string> numbers, calls, names;
    for (const CsvRow& row : rows_of(read_csv(scratch.file("a.csv")), "total")) {
        if (row.at("op") != "assign") continue;
        numbers.insert(row.at("map_id"));
        calls.insert(row.at("calls"));
        names.insert(row.at("map_name") + row.at("map_kind"));
    }
    EXPECT_EQ(calls, (std::set<std::string>{"1009", "2003"}));
    EXPECT_EQ(numbers.size(), 2u) << "each has a number of its own";
    EXPECT_EQ(names, std::set<std::string>{"sessionsmutex_map"});

    // The summary: a row of the table and a line of growth each, with its own size.
    const std::string summary = done.said();
    EXPECT_THAT(summary, HasSubstr("2 maps known"));
    for (const char* const count : {"1009", "2003"})
        EXPECT_THAT(summary, testing::ContainsRegex("sessions\\(mutex_map\\) +assign +" + std::string(count) + " "));

    const Finished report = run({MAPAUDIT_AUDITOR, "report", scratch.file("a.csv")});
    ASSERT_EQ(report.exit_code, 0) << report.err;
    const std::string page = text_of(scratch.file("a.html"));
    for (const char* const count : {"1009", "2003"}) EXPECT_THAT(page, HasSubstr(count));
}

TEST(TwoRegistries, ALibraryThatSharesItsSymbolsIsCountedInTheProgramsRegistry) {
    const ScratchFolder scratch;
    const Finished done = audit("shared_registry_library.so", scratch);
    ASSERT_EQ(done.exit_code, 0) << done.err;
    std::set<std::pair<std::string, std::string>> calls;
    for (const CsvRow& row : rows_of(read_csv(scratch.file("a.csv")), "total"))
        if (row.at("op") == "assign") calls.insert({row.at("map_id"), row.at("calls")});
    EXPECT_EQ(calls, (std::set<std::pair<std::string, std::string>>{{"1", "1009"}, {"2", "2003"}}));
}

}  // namespace
}  // namespace mapaudit::test
