// SPDX-License-Identifier: Apache-2.0
//
// What the audit costs its target, in every output for people; golden text.
#include <gtest/gtest.h>

#include "output/layout.hpp"
#include "output/ledger.hpp"
#include "output/summary.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

model::Overhead sample_overhead() {
    model::Overhead overhead;
    overhead.percent = 1.25;
    overhead.prices = {.record_ns = 28.3,
                       .program_ns = 7.1,
                       .counted_ns = 3.14,
                       .trap_ns = 676.7,
                       .event_ns = 3278.1,
                       .sample_ns = 16'210,
                       .measured = true};
    return overhead;
}

TEST(Overhead, says_what_it_is_of_and_what_it_rests_on) {
    model::Overhead overhead = sample_overhead();
    EXPECT_EQ(overhead_line(overhead), "about 1.2 % of its CPU time");
    EXPECT_EQ(overhead_grounds(overhead),
              "35 ns an operation timed, 3.1 ns one counted, 677 ns a batch, 3278 ns an event, 16.2 us a CPU sample, "
              "calibrated on this host");
    overhead.budget_percent = 2;
    overhead.switches = 3;
    EXPECT_EQ(overhead_grounds(overhead),
              "35 ns an operation timed, 3.1 ns one counted, 677 ns a batch, 3278 ns an event, 16.2 us a CPU sample, "
              "calibrated on this host; budget 2.0 %, level switched 3 times");
}

TEST(Overhead, says_so_where_nothing_was_measured) {
    model::Overhead overhead = sample_overhead();
    overhead.prices.measured = false;
    EXPECT_EQ(overhead_line(overhead), "about 1.2 % of its CPU time (assumed: not calibrated on this host)");
    overhead.percent.reset();
    EXPECT_EQ(overhead_line(overhead), "");
}

TEST(Overhead, stands_in_footer_and_summary) {
    model::Report report = sample_report();
    report.overhead = sample_overhead();
    const Frame frame = layout(report, {}, {}, 160, 24);
    EXPECT_EQ(
        frame.lines.back().text.find("? help   target slowed down: about 1.2 % of its CPU time   mapaudit itself: "),
        0u)
        << frame.lines.back().text;
    model::Report total = sample_report(model::Scope::total);
    total.overhead = sample_overhead();
    const std::string text = summary_text(total, {}, {.most = 10});
    EXPECT_NE(text.find("\nTarget slowed down: about 1.2 % of its CPU time\n  (35 ns an operation timed, "),
              std::string::npos)
        << text;
}

}  // namespace
}  // namespace mapaudit::output
