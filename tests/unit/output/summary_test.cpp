// SPDX-License-Identifier: Apache-2.0
#include "output/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <string>

#include "output/ledger.hpp"
#include "unit/output/files.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::HasSubstr;
using testing::Not;

model::Report total() { return sample_report(model::Scope::total); }

TEST(Summary, golden) {
    // clang-format off
    EXPECT_EQ(summary_text(total()), R"(
users: concurrent access where none is allowed, 2 times

mapaudit watched pid 4242 (work\x1b[2Jer, full) for 83.5s: 3 maps known.

MAP(kind)                              OP            CALLS CALLS/s    P50    P90    P99  P99.9    MAX WAIT% WAITING
users(go_map)                          assign      1000003    500k  123ns  247ns 1.23µs 12.3µs 1.52ms  20.0    0.02
users(go_map)                          lookup     12345678   6.17M 38.5ns 77.0ns  385ns 3.85µs  475µs   0.0    0.00
users(go_map)                          grow              3    1.50 50.0µs  100µs  500µs 5.00ms  617ms   0.0    0.00
a,"b"\x0a\x1b[31m)" "\ufffd" R"(\xe2\x80\xaeμ(=kind) erase            42      21 7.00ns 14.0ns 70.0ns  700ns 86.4µs   0.0    0.00
Not every call was timed: the times rest on a sample (column weight of the CSV).

Growth:
  users(go_map) grew 3 times by 192 buckets to 256 (load 3.91): 225µs in all, 617ms the longest

Concurrent access where none is allowed:
  users(go_map): observed 2 times (13345681 operations)

Advice:
  - guard users(go_map): conflicting access was observed 2 times in 13345681 operations; put a lock round it, or use a kind that has one

Ledger: 1000003 fired = 1000000 handled + 3 lost (2 ring full, 1 unreadable memory)
  2 lost: users(go_map) assign
  1 lost that no map is known for
The counts above are short by what was lost.
mapaudit itself: 1.2 % of a core, 24.0 MiB + 3.50 MiB in the kernel
)");
    // clang-format on
}

TEST(Summary, nothing_lost_is_said_plainly) {
    model::Report report = total();
    report.ledger = {1'000'003, 1'000'003, {{"ring full", 0}}};
    const std::string text = summary_text(report);
    EXPECT_THAT(text, HasSubstr("Ledger: 1000003 fired = 1000003 handled + 0 lost\nmapaudit itself"));
}

TEST(Summary, the_rows_of_most_trouble_and_how_many_more) {
    model::Report report = total();
    report.rows.clear();
    for (std::uint32_t i = 1; i <= 37; ++i)
        report.rows.push_back(sample_row(i, "m" + std::to_string(i), model::Op::lookup, i));
    const std::string text = summary_text(report);
    EXPECT_THAT(text, HasSubstr("m37(go_map) lookup"));
    EXPECT_THAT(text, HasSubstr("m18(go_map) lookup"));
    EXPECT_THAT(text, Not(HasSubstr("m17(go_map) lookup")));
    EXPECT_THAT(text, HasSubstr("... and 17 more rows, of less trouble\n"));
    EXPECT_THAT(text, HasSubstr("No map grew.\n"));
}

TEST(Summary, a_run_without_a_call_says_why) {
    model::Report report = total();
    report.rows.clear();
    EXPECT_THAT(summary_text(report), HasSubstr("No operation was seen: 3 maps known, no operation seen yet.\n"));
    report.maps = 0;
    EXPECT_THAT(summary_text(report), HasSubstr("No operation was seen: no map seen yet.\n"));
}

TEST(Summary, estimates_are_named) {
    model::Report report = total();
    report.rows = {sample_row(1, "few", model::Op::lookup, 1'009), sample_row(2, "many", model::Op::lookup, 1'000'003)};
    EXPECT_THAT(summary_text(report), Not(HasSubstr("estimates")));
    report.rows[1].estimated = true;
    EXPECT_THAT(summary_text(report), HasSubstr("Calls with ≈ are estimates, scaled from a part of the time (column "
                                                "estimated of the CSV).\n"));
    EXPECT_THAT(summary_text(report), HasSubstr(" ≈" + std::to_string(report.rows[1].calls)));
    report.rows[1].error = 0.034;
    EXPECT_THAT(summary_text(report), HasSubstr("(column estimated of the CSV): ± 3.4 %.\n"));
    report.rows[0].estimated = true;
    report.rows[0].error = 0.25;
    EXPECT_THAT(summary_text(report), HasSubstr(": ± 3.4 % to ± 25.0 %, least sure few(go_map) lookup.\n"));
}

TEST(Summary, what_cannot_be_estimated_is_said_with_the_remedy) {
    model::Report report = total();
    report.rows = {sample_row(1, "few", model::Op::lookup, 1'009), sample_row(2, "many", model::Op::lookup, 1'000'003)};
    for (model::Row& row : report.rows) row.estimated = true;
    report.rows[0].error = std::numeric_limits<double>::infinity();
    EXPECT_THAT(summary_text(report), HasSubstr(" ≥" + std::to_string(report.rows[0].calls)));
    EXPECT_THAT(summary_text(report), HasSubstr(" ≈" + std::to_string(report.rows[1].calls)));
    EXPECT_THAT(summary_text(report),
                HasSubstr("\nCalls with ≥ are those seen, of more (1 row): for an estimate too little was seen, or the "
                          "target was short of CPU time meanwhile. A longer -d or a larger --max-overhead gives one.\n"
                          "Calls with ≈ are estimates"));
    report.rows[1].error = std::numeric_limits<double>::infinity();
    EXPECT_THAT(summary_text(report), HasSubstr("of more (2 rows):"));
    EXPECT_THAT(summary_text(report), Not(HasSubstr("≈")));
}

TEST(Summary, is_written_once_when_the_total_comes) {
    MemoryFile file;
    SummarySink sink(OutputFile::lent(file.fd(), "a file"));
    ASSERT_TRUE(sink.write(sample_report()));
    EXPECT_EQ(file.content(), "");
    ASSERT_TRUE(sink.write(total()));
    EXPECT_EQ(file.content(), summary_text(total()));
}

TEST(Ledger, an_imbalance_is_never_hidden) {
    EXPECT_EQ(ledger_line({10, 7, {{"ring full", 2}}}),
              "10 fired = 7 handled + 2 lost (2 ring full) - DOES NOT BALANCE: 1 unaccounted for");
    EXPECT_EQ(ledger_line({10, 10, {{"ring full", 2}}}),
              "10 fired = 10 handled + 2 lost (2 ring full) - DOES NOT BALANCE: 2 too many");
}

TEST(Ledger, targets_are_named_and_the_rest_counted) {
    model::Report report;
    report.targets = {{1, "a", "full", true}, {2, "b", "sampled", false}, {3, "c", "full", true}};
    EXPECT_EQ(targets_line(report, 2), "pid 1 (a, full), 2 (b, sampled, ended) and 1 more");
    EXPECT_EQ(targets_line(report, 3), "pid 1 (a, full), 2 (b, sampled, ended), 3 (c, full)");
}

}  // namespace
}  // namespace mapaudit::output
