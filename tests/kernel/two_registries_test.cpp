// SPDX-License-Identifier: Apache-2.0
//
// Two registries in one process, with maps of equal ids, names and kinds: each is shown by itself in every output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

using testing::HasSubstr;

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(TwoRegistries, MapsThatDifferInNothingElseAreTwo) {
    const std::string prefix = MAPAUDIT_TARGETS;
    const ScratchFolder scratch;
    Child target({prefix + "two_registries", prefix + "two_registries_library.so"}, Child::Input::pipe);
    ASSERT_TRUE(target.wait_for("ready")) << target.err();
    Child auditor({MAPAUDIT_AUDITOR, "attach", "-p", std::to_string(target.pid()), "--level", "full", "--plain",
                   "--csv", scratch.file("a.csv")});
    ASSERT_TRUE(target.wait_for("filled")) << target.err();
    target.end_input();
    const Finished done = auditor.finish();
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
    const std::string summary = done.out + done.err;
    EXPECT_THAT(summary, HasSubstr("2 maps known"));
    for (const char* const count : {"1009", "2003"})
        EXPECT_THAT(summary, testing::ContainsRegex("sessions\\(mutex_map\\) +assign +" + std::string(count) + " "));

    const Finished report = run({MAPAUDIT_AUDITOR, "report", scratch.file("a.csv")});
    ASSERT_EQ(report.exit_code, 0) << report.err;
    const std::string page = text_of(scratch.file("a.html"));
    for (const char* const count : {"1009", "2003"}) EXPECT_THAT(page, HasSubstr(count));
}

}  // namespace
}  // namespace mapaudit::test
