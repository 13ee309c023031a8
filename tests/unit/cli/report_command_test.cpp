// SPDX-License-Identifier: Apache-2.0
//
// mapaudit report as it is run: files, endings, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Report : public testing::Test {
protected:
    Report() {
        write("run.csv",
              "time,elapsed_s,scope,map_name,map_kind,op,calls,p99_ns\n"
              "2026-01-02T03:04:05.678Z,1,interval,users,go_map,lookup,17,90\n"
              "2026-01-02T03:04:06.678Z,2,total,users,go_map,lookup,17,90\n");
        write("run.folded", "users;wait;main;lock 17\n");
    }
    void write(const std::string& name, const std::string& content) { std::ofstream(folder_.file(name)) << content; }
    std::string read(const std::string& name) {
        std::ostringstream content;
        content << std::ifstream(folder_.file(name)).rdbuf();
        return content.str();
    }
    Finished report(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {MAPAUDIT_AUDITOR, "report"});
        return run(arguments);
    }
    ScratchFolder folder_;
};

TEST_F(Report, a_csv_becomes_a_page_beside_it) {
    const Finished done = report({folder_.file("run.csv")});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(done.out, "");
    EXPECT_THAT(done.err, EndsWith("wrote " + folder_.file("run.html") + "\n"));
    EXPECT_THAT(read("run.html"), StartsWith("<!DOCTYPE html>"));
}

TEST_F(Report, folded_stacks_become_a_drawing_beside_them) {
    EXPECT_EQ(report({folder_.file("run.folded")}).exit_code, 0);
    EXPECT_THAT(read("run.svg"), StartsWith("<?xml"));
}

TEST_F(Report, both_on_one_page_to_standard_output) {
    const Finished done = report({folder_.file("run.csv"), "--folded", folder_.file("run.folded"), "-o", "-"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.out, StartsWith("<!DOCTYPE html>"));
    EXPECT_THAT(done.out, HasSubstr("<svg class=\"flame\""));
    EXPECT_EQ(done.err, "");
    EXPECT_FALSE(std::filesystem::exists(folder_.file("run.html")));
}

TEST_F(Report, what_is_wrong_in_one_line) {
    write("text", "neither nor\n");
    write("cut.csv", "scope,map_name,op,calls\ntotal,m,loo");
    const auto expect = [&](std::vector<std::string> arguments, int code, const std::string& words) {
        const Finished done = report(std::move(arguments));
        EXPECT_EQ(done.exit_code, code) << done.err;
        EXPECT_THAT(done.err, HasSubstr(words));
        EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
        EXPECT_EQ(done.out, "");
    };
    expect({folder_.file("nothing.csv")}, 1, "No such file or directory");
    expect({folder_.file("")}, 1, "Is a directory");
    expect({folder_.file("text")}, 1, "line 1: neither the header of a CSV");
    expect({folder_.file("cut.csv")}, 1, "cut.csv line 2: 3 of the header's 4 fields");
    expect({folder_.file("run.csv"), "-o", folder_.file("no/such/out")}, 1, "No such file or directory");
    expect({folder_.file("run.csv"), "-o", folder_.file("run.csv")}, 2, "is the file that is reported on");
    expect({folder_.file("run.csv"), "--folded", folder_.file("text")}, 1, "text line 1: no folded stack");
    expect({folder_.file("run.folded"), "--folded", folder_.file("run.folded")}, 2, "holds folded stacks itself");
    expect({}, 2, "file is required");
    EXPECT_THAT(read("run.csv"), HasSubstr("users"));
}

}  // namespace
}  // namespace mapaudit::test
