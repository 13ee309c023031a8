// SPDX-License-Identifier: Apache-2.0
#include "output/rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "unit/output/files.hpp"
#include "unit/output/sample.hpp"

namespace mapaudit::output {
namespace {

using testing::HasSubstr;

// clang-format off
const std::string header =
    "TIME      MAP(kind)                    OP     CALLS/s    P50    P90    P99  P99.9    MAX WAIT% WAITING  CPU%    SIZE BUCKETS  BKTS/s  LOAD GROWS\n";
const std::string rows =
    "03:04:05Z users(go_map)                assign    500k  123ns  247ns 1.23µs 12.3µs 1.52ms  20.0    0.02  12.3    1000     256      96  3.91     3\n"
    "03:04:05Z users(go_map)                lookup   6.17M 38.5ns 77.0ns  385ns 3.85µs  475µs   0.0    0.00  50.0    1000     256      96  3.91     3\n"
    "03:04:05Z users(go_map)                grow      1.50 50.0µs  100µs  500µs 5.00ms  617ms   0.0    0.00   0.0    1000     256      96  3.91     3\n"
    "03:04:05Z a,\"b\"\\x0a\\x1b[31m\ufffd\\xe2\\x80\\… erase       21 7.00ns 14.0ns 70.0ns  700ns 86.4µs   0.0    0.00     -    1000     256       0  3.91     0\n"
    "03:04:05Z #2(go_map)                   lookup       0      -      -      -      -      -     -       -     -       -       -       0     -     0\n";
const std::string loss =
    "03:04:05Z # 1000003 fired = 1000000 handled + 3 lost (2 ring full, 1 unreadable memory)\n";
const std::string wrong = "03:04:05Z # users: concurrent access where none is allowed, 2 times\n";
// clang-format on

class RowStreamTest : public testing::Test {
protected:
    RowStream stream(View view = {}) { return RowStream(OutputFile::lent(file_.fd(), "a file"), std::move(view)); }
    std::string content() const { return file_.content(); }

    MemoryFile file_;
};

std::size_t occurrences(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

TEST_F(RowStreamTest, golden) {
    RowStream out = stream();
    ASSERT_TRUE(out.write(sample_report()));
    EXPECT_EQ(content(), wrong + header + rows + loss);
}

TEST_F(RowStreamTest, the_header_comes_again_and_loss_is_told_when_it_grows) {
    RowStream out = stream();
    model::Report report = sample_report();
    for (int i = 0; i < 9; ++i) ASSERT_TRUE(out.write(report));
    const std::string text = content();
    EXPECT_EQ(occurrences(text, header), 2u);  // 45 rows
    // After 40 of them.
    EXPECT_EQ(text.rfind(header), header.size() + loss.size() + 9 * wrong.size() + 8 * rows.size());
    EXPECT_EQ(occurrences(text, "lost"), 1u);
    report.ledger.lost[0].count += 5;
    report.ledger.fired += 5;
    ASSERT_TRUE(out.write(report));
    EXPECT_EQ(occurrences(content(), "lost"), 2u);
}

TEST_F(RowStreamTest, cpus_threads_and_processes_have_their_columns) {
    View view;
    view.per_cpu = view.per_thread = true;
    view.filter = *MapFilter::make("users");
    model::Report report = sample_report();
    report.targets.push_back({4243, "other", "full", true});
    report.ledger = {};
    RowStream out = stream(view);
    ASSERT_TRUE(out.write(report));
    // clang-format off
    EXPECT_EQ(content(),
R"(03:04:05Z # 4242:users: concurrent access where none is allowed, 2 times
TIME      MAP(kind)                    OP     CPU/THREAD  CALLS/s    P50    P90    P99  P99.9    MAX WAIT% WAITING  CPU%    SIZE BUCKETS  BKTS/s  LOAD GROWS
03:04:05Z 4242:users(go_map)           assign all            500k  123ns  247ns 1.23µs 12.3µs 1.52ms  20.0    0.02  12.3    1000     256      96  3.91     3
03:04:05Z 4242:users(go_map)           assign cpu 1          1.50  123ns  247ns 1.23µs 12.3µs 1.52ms 100.0    0.02     -    1000     256      96  3.91     3
03:04:05Z 4242:users(go_map)           assign tid 4243       1.50  123ns  247ns 1.23µs 12.3µs 1.52ms 100.0    0.02     -    1000     256      96  3.91     3
03:04:05Z 4242:users(go_map)           lookup all           6.17M 38.5ns 77.0ns  385ns 3.85µs  475µs   0.0    0.00  50.0    1000     256      96  3.91     3
03:04:05Z 4242:users(go_map)           grow   all            1.50 50.0µs  100µs  500µs 5.00ms  617ms   0.0    0.00   0.0    1000     256      96  3.91     3
)");
    // clang-format on
}

TEST_F(RowStreamTest, an_interval_without_rows_says_why) {
    RowStream out = stream();
    model::Report report = sample_report();
    report.ledger = {};
    report.rows.clear();
    ASSERT_TRUE(out.write(report));
    report.maps = 0;
    ASSERT_TRUE(out.write(report));
    EXPECT_EQ(content(), "03:04:05Z # 3 maps known, no operation seen yet\n03:04:05Z # no map seen yet\n");
}

TEST_F(RowStreamTest, a_filter_that_matches_nothing_says_so) {
    View view;
    view.filter = *MapFilter::make("nobody");
    model::Report report = sample_report();
    report.ledger = {};
    RowStream out = stream(view);
    ASSERT_TRUE(out.write(report));
    EXPECT_EQ(content(), "03:04:05Z # no map's name matches the filter\n");
}

TEST_F(RowStreamTest, totals_are_left_to_the_summary) {
    RowStream out = stream();
    ASSERT_TRUE(out.write(sample_report(model::Scope::total)));
    EXPECT_EQ(content(), "");
}

TEST(RowStream, a_full_disk_is_an_error) {
    auto full = OutputFile::open("/dev/full");
    ASSERT_TRUE(full);
    RowStream out(*std::move(full), {});
    const Result<void> written = out.write(sample_report());
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().line(), HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace mapaudit::output
