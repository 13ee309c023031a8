// SPDX-License-Identifier: Apache-2.0
#include "output/csv_recording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "output/csv_sink.hpp"
#include "output/csv_text.hpp"
#include "unit/output/files.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const std::string& csv) {
    const auto read = read_recording(csv, "run.csv");
    return read ? "none" : read.error().line();
}

TEST(CsvText, quotes_line_ends_and_lines) {
    const auto records = csv_records(
        "\xef\xbb\xbf"
        "a,\"b,\"\"c\"\"\nd\",\r\n\n\"\",e\n,\n",
        "f");
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 3u);
    EXPECT_THAT((*records)[0].fields, ElementsAre("a", "b,\"c\"\nd", ""));
    EXPECT_THAT((*records)[1].fields, ElementsAre("", "e"));
    EXPECT_EQ((*records)[1].line, 4u);
    EXPECT_THAT((*records)[2].fields, ElementsAre("", ""));
}

TEST(CsvText, an_open_quote_is_an_error_with_its_line) {
    const auto records = csv_records("a\nb,\"c\nd\n", "f.csv");
    ASSERT_FALSE(records);
    EXPECT_THAT(records.error().line(), HasSubstr("f.csv line 2: a quote is never closed"));
}

TEST(Recording, what_the_sink_wrote_is_read_back) {
    const TempFolder folder;
    {
        auto sink = CsvSink::make(folder / "run.csv");
        ASSERT_TRUE(sink);
        ASSERT_TRUE((*sink)->write(sample_report()));
        ASSERT_TRUE((*sink)->write(sample_report(model::Scope::total)));
    }
    const std::string csv = content_of(folder / "run.csv");
    EXPECT_TRUE(looks_like_recording(csv));
    const auto read = read_recording(csv, "run.csv");
    ASSERT_TRUE(read) << read.error().line();
    EXPECT_TRUE(read->ended);
    EXPECT_FALSE(read->many_pids);
    EXPECT_EQ(read->begin, "2026-01-02T03:04:05.678Z");
    EXPECT_DOUBLE_EQ(read->seconds, 83.457);
    ASSERT_EQ(read->totals.size(), 6u);  // not those of one CPU or thread
    const model::Row& assign = read->totals[1];
    EXPECT_EQ(assign.map->name, "users");
    EXPECT_EQ(assign.op, model::Op::assign);
    EXPECT_EQ(assign.calls, 1'000'003u);
    EXPECT_EQ(assign.conflicts, 2u);
    EXPECT_DOUBLE_EQ(assign.p99_ns.value(), 1234.4);
    EXPECT_DOUBLE_EQ(assign.load_factor.value(), 3.9063);
    EXPECT_EQ(read->totals[4].size, std::nullopt);
    ASSERT_EQ(read->intervals.size(), 6u);
}

TEST(Recording, columns_by_name_in_any_order_and_number) {
    const auto read = read_recording(
        "op,weather,calls,map_name,scope\n"
        "lookup,fine,18446744073709551615,m,interval\r\n",
        "f");
    ASSERT_TRUE(read) << read.error().line();
    EXPECT_EQ(read->intervals.at(0).row.calls, UINT64_MAX);
    EXPECT_EQ(read->intervals.at(0).row.p50_ns, std::nullopt);
}

TEST(Recording, one_that_was_cut_short_is_summed_up) {
    const auto read = read_recording(
        "elapsed_s,scope,map_name,op,calls,p99_ns,max_ns,buckets\n"
        "1,interval,m,lookup,10,5,50,16\n2,interval,m,lookup,30,7,40,32\n",
        "f");
    ASSERT_TRUE(read) << read.error().line();
    EXPECT_FALSE(read->ended);
    ASSERT_EQ(read->totals.size(), 1u);
    EXPECT_EQ(read->totals[0].calls, 40u);
    EXPECT_DOUBLE_EQ(read->totals[0].calls_per_s, 20);
    EXPECT_EQ(read->totals[0].p99_ns, std::nullopt);
    EXPECT_DOUBLE_EQ(read->totals[0].max_ns.value(), 50);
    EXPECT_EQ(read->totals[0].buckets, 32u);
}

TEST(Recording, what_is_wrong_and_where) {
    EXPECT_EQ(error_of(""), "run.csv is empty (give a file that --csv wrote)");
    EXPECT_EQ(error_of("a,b\n1,2\n"), "run.csv line 1: the header has no column scope (give a file that --csv wrote)");
    const std::string header = "scope,map_name,op,calls\n";
    EXPECT_EQ(error_of(header + "total,m,lookup,7\ntotal,m,erase\n"),
              "run.csv line 3: 3 of the header's 4 fields (the file is damaged or was cut)");
    EXPECT_EQ(error_of(header + "total,m,lookup,7x\n"),
              "run.csv line 2: '7x' in column calls is no number (the file is damaged or was cut)");
    EXPECT_EQ(error_of(header + "total,m,lookup,-7\n"),
              "run.csv line 2: '-7' in column calls is no number (the file is damaged or was cut)");
    EXPECT_EQ(error_of(header + "total,m,lookup,inf\n"),
              "run.csv line 2: 'inf' in column calls is no number (the file is damaged or was cut)");
    EXPECT_EQ(error_of(header + "\"a\n\x1b[2J\",m,lookup,7\n"),
              "run.csv line 2: 'a\\x0a\\x1b[2J' is no scope (the file is damaged or was cut)");
    EXPECT_EQ(error_of(header), "none");
}

TEST(Recording, is_told_from_other_files_by_its_header) {
    EXPECT_TRUE(looks_like_recording("new,scope,op,calls,map_name,newer\n"));
    EXPECT_FALSE(looks_like_recording("time,calls\n"));
    EXPECT_FALSE(looks_like_recording("main;f 7\n"));
    EXPECT_FALSE(looks_like_recording(""));
    EXPECT_FALSE(looks_like_recording("\"scope,op"));
}

}  // namespace
}  // namespace mapaudit::output
