// SPDX-License-Identifier: Apache-2.0
#include "output/csv_sink.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <string>
#include <vector>

#include "unit/output/files.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::HasSubstr;

const std::string header =
    "time,elapsed_s,scope,pid,source,map_id,map_name,map_kind,op,cpu,tid,calls,calls_per_s,p50_ns,p90_ns,p99_ns,"
    "p999_ns,max_ns,mean_ns,waits,wait_p99_ns,wait_total_ns,conflicts,migrations,size,buckets,load_factor,grows,"
    "buckets_per_s,weight,estimated,lost\n";

// The fields of RFC 4180 records, by a reader that is not the writer.
std::vector<std::vector<std::string>> parse(const std::string& csv) {
    std::vector<std::vector<std::string>> records(1, std::vector<std::string>(1));
    bool quoted = false;
    for (std::size_t i = 0; i < csv.size(); ++i) {
        const char c = csv[i];
        if (quoted && c == '"' && i + 1 < csv.size() && csv[i + 1] == '"')
            records.back().back() += csv[++i];
        else if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            records.back().emplace_back();
        else if (c == '\n' && !quoted)
            records.emplace_back(1);
        else
            records.back().back() += c;
    }
    EXPECT_FALSE(quoted);
    records.pop_back();  // what follows the last line end
    return records;
}

std::string csv_of(const model::Report& report) {
    const TempFolder folder;
    auto sink = CsvSink::make(folder / "out.csv");
    EXPECT_TRUE(sink);
    EXPECT_TRUE((*sink)->write(report));
    return content_of(folder / "out.csv");
}

TEST(Csv, golden) {
    // clang-format off
    EXPECT_EQ(csv_of(sample_report()), header +
R"(2026-01-02T03:04:05.678Z,83.457,interval,4242,usdt,0,(lost),,,all,all,0,0,,,,,,,0,,0,0,0,,,,0,0,1,0,1
2026-01-02T03:04:05.678Z,83.457,interval,4242,usdt,1,users,go_map,assign,all,all,1000003,500001.5,123.4,246.9,1234.4,12344,1523940.9,185.2,17,456.8,37032111.1,2,4,1000,256,3.9063,3,96,1,0,2
2026-01-02T03:04:05.678Z,83.457,interval,4242,usdt,1,users,go_map,assign,1,all,3,1.5,123.4,246.9,1234.4,12344,1523940.9,185.2,17,456.8,37032111.1,2,4,1000,256,3.9063,3,96,1,0,0
2026-01-02T03:04:05.678Z,83.457,interval,4242,usdt,1,users,go_map,assign,all,4243,3,1.5,123.4,246.9,1234.4,12344,1523940.9,185.2,17,456.8,37032111.1,2,4,1000,256,3.9063,3,96,1,0,0
2026-01-02T03:04:05.678Z,83.457,interval,4242,usdt,1,users,go_map,lookup,all,all,12345678,6172839,38.5,77,385,3850,475305.6,57.8,0,,0,0,0,1000,256,3.9063,3,96,64,0,0
2026-01-02T03:04:05.678Z,83.457,interval,4242,usdt,1,users,go_map,grow,all,all,3,1.5,50000,100000,500000,5000000,617280000,75000,0,,0,0,0,1000,256,3.9063,3,96,1,0,0
2026-01-02T03:04:05.678Z,83.457,interval,4242,usdt,2,,go_map,lookup,all,all,0,0,,,,,,,0,,0,0,0,,,,0,0,1,0,0
2026-01-02T03:04:05.678Z,83.457,interval,4242,usdt,3,"a,""b""\x0a\x1b[31m)" "\ufffd" R"(\xe2\x80\xaeμ",\x3dkind,erase,all,all,42,21,7,14,70,700,86419.2,10.5,0,,0,0,0,1000,256,3.9063,0,0,1,0,0
)");
    // clang-format on
}

TEST(Csv, every_row_has_every_column_whatever_the_name) {
    for (const std::string name : {"a,b", "\"", "\"\"", "a\r\nb", "\n", ",", "", " ", "\x1b]0;x\a", "\xff\xfe",
                                   "\"a\",\n\"b\"", "=1+1", "@x", "-x", "+x"}) {
        model::Report report = sample_report();
        report.rows.resize(2);
        test::rename(report.rows[1], name);
        const auto records = parse(csv_of(report));
        ASSERT_EQ(records.size(), 3u) << name;
        for (const auto& record : records) EXPECT_EQ(record.size(), 32u) << name;
    }
}

TEST(Csv, quotes_are_undone_by_a_reader) {
    model::Report report = sample_report();
    report.rows.resize(2);
    test::rename(report.rows[1], "say \"hi\", all");
    EXPECT_EQ(parse(csv_of(report))[2][6], "say \"hi\", all");
}

TEST(Csv, what_is_estimated_and_what_is_no_number) {
    model::Report report = sample_report(model::Scope::total);
    report.rows = {sample_row(1, "m", model::Op::lookup, UINT64_MAX)};
    report.rows[0].estimated = true;
    report.rows[0].p50_ns = std::numeric_limits<double>::quiet_NaN();
    report.rows[0].mean_ns = std::numeric_limits<double>::infinity();
    const auto record = parse(csv_of(report))[1];
    EXPECT_EQ(record[2], "total");
    EXPECT_EQ(record[11], "18446744073709551615");
    EXPECT_EQ(record[13], "");
    EXPECT_EQ(record[18], "");
    EXPECT_EQ(record[30], "1");
}

TEST(Csv, the_file_is_emptied_has_its_header_at_once_and_each_interval_at_once) {
    const TempFolder folder;
    const std::string path = folder / "out.csv";
    std::ofstream(path) << "old content, longer than the header: " << std::string(2000, 'x');
    auto sink = CsvSink::make(path);
    ASSERT_TRUE(sink);
    EXPECT_EQ(content_of(path), header);
    ASSERT_TRUE((*sink)->write(sample_report()));
    const std::size_t after_one = content_of(path).size();
    EXPECT_GT(after_one, header.size());
    ASSERT_TRUE((*sink)->write(sample_report()));
    EXPECT_EQ(content_of(path).size(), 2 * after_one - header.size());
}

TEST(Csv, a_path_that_cannot_be_written_is_an_error_with_a_remedy) {
    const TempFolder folder;
    const auto missing = CsvSink::make(folder / "no/such/out.csv");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().line(), HasSubstr("no/such/out.csv"));
    EXPECT_THAT(missing.error().line(), HasSubstr("No such file or directory"));
    EXPECT_FALSE(missing.error().remedy.empty());
    const auto is_folder = CsvSink::make(folder / "");
    ASSERT_FALSE(is_folder);
    EXPECT_FALSE(is_folder.error().remedy.empty());
    EXPECT_EQ(is_folder.error().kind, Failure::failed);
}

TEST(Csv, a_full_disk_is_an_error_before_anything_is_attached) {
    const auto full = CsvSink::make("/dev/full");
    ASSERT_FALSE(full);
    EXPECT_THAT(full.error().line(), HasSubstr("cannot write to /dev/full: No space left on device"));
    EXPECT_FALSE(full.error().remedy.empty());
}

// RLIMIT_FSIZE stands in for a disk that fills up: the kernel writes the part that fits, then refuses.
TEST(Csv, a_disk_that_fills_up_leaves_whole_intervals) {
    const TempFolder folder;
    const std::string path = folder / "out.csv";
    auto sink = CsvSink::make(path);
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->write(sample_report()));
    const std::string whole = content_of(path);

    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit tight = before;
    tight.rlim_cur = whole.size() + 100;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    const Result<void> written = (*sink)->write(sample_report());
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);

    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().line(), HasSubstr("File too large"));
    EXPECT_EQ(content_of(path), whole);
}

TEST(Csv, a_reader_that_went_away_is_an_error_and_no_signal) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::close(ends[0]);
    ASSERT_EQ(std::signal(SIGPIPE, SIG_DFL), SIG_DFL);
    OutputFile file = OutputFile::lent(ends[1], "the pipe");
    const Result<void> written = file.write("x\n");  // SIGPIPE would end the test here
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().line(), HasSubstr("cannot write to the pipe: Broken pipe"));
    sigset_t pending;
    sigpending(&pending);
    EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
    ::close(ends[1]);
}

TEST(Csv, minus_is_standard_output) {
    testing::internal::CaptureStdout();
    {
        auto sink = CsvSink::make("-");
        ASSERT_TRUE(sink);
        ASSERT_TRUE((*sink)->write(sample_report()));
    }
    const std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(out.substr(0, header.size()), header);
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 9);
    EXPECT_NE(::fcntl(STDOUT_FILENO, F_GETFD), -1);  // still open
}

}  // namespace
}  // namespace mapaudit::output
