// SPDX-License-Identifier: Apache-2.0
//
// Against what the tools printed: bpftrace 0.17, funclatency of libbpf-tools 0.26, perf 6.1, lttng 2.13, babeltrace2
// 2.0, uftrace 0.13.
#include "tool_output.hpp"

#include <gtest/gtest.h>

namespace mapaudit::bench {
namespace {

TEST(ToolOutput, BpftraceCount) {
    EXPECT_EQ(bpftrace_count("Attaching 2 probes...\ntick\ntick\n\n\n@count: 208896\n"), 208896u);
    EXPECT_EQ(bpftrace_count("Attaching 2 probes...\ntick\n\n\n"), std::nullopt);
}

TEST(ToolOutput, FunclatencyHistogram) {
    EXPECT_EQ(funclatency_calls(R"(Tracing :bench_lookup_mutex_map.  Hit Ctrl-C to exit

     nsec                : count    distribution
         0 -> 1          : 0        |                                        |
       128 -> 255        : 0        |                                        |
       256 -> 511        : 138141   |****************************************|
       512 -> 1023       : 1062     |                                        |
     65536 -> 131071     : 2        |                                        |
Exiting trace of :bench_lookup_mutex_map
)"),
              139205u);
    EXPECT_EQ(funclatency_calls("Tracing :bench_lookup_mutex_map.  Hit Ctrl-C to exit\n\n"
                                "Exiting trace of :bench_lookup_mutex_map\n"),
              std::nullopt);
}

TEST(ToolOutput, PerfWithLostSamples) {
    const auto counts = perf_counts(R"(
Aggregated stats:
           TOTAL events:      71076
            LOST events:        459  ( 0.6%)
          SAMPLE events:      65602  (92.3%)
    LOST_SAMPLES events:          1  ( 0.0%)
         CPU_MAP events:          1  ( 0.0%)
sdt_mapaudit:lookup stats:
          SAMPLE events:      65602
    LOST_SAMPLES events:      12222
)");
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->samples, 65602u);
    EXPECT_EQ(counts->lost, 12222u);
}

TEST(ToolOutput, PerfOfTwoEvents) {
    const auto counts = perf_counts(R"(
Aggregated stats:
          SAMPLE events:     208963  (81.9%)
sdt_mapaudit:lookup stats:
          SAMPLE events:     188067
sdt_mapaudit:assign stats:
          SAMPLE events:      20896
)");
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->samples, 208963u);
    EXPECT_EQ(counts->lost, 0u);
}

TEST(ToolOutput, PerfThatSawNothing) {
    EXPECT_FALSE(perf_counts(R"(
Aggregated stats:
           TOTAL events:         12
            MMAP events:          1  ( 8.3%)
)"));
}

TEST(ToolOutput, PerfThatCannotSayHowManyWereLost) {
    EXPECT_FALSE(perf_counts(R"(
Aggregated stats:
            LOST events:        459  ( 0.6%)
          SAMPLE events:      65602  (92.3%)
sdt_mapaudit:lookup stats:
          SAMPLE events:      65602
)"));
}

TEST(ToolOutput, LttngDiscardedOverAllChannels) {
    EXPECT_EQ(lttng_discarded("<channel><attributes><subbuffer_count>8</subbuffer_count>"
                              "<discarded_events>0</discarded_events><lost_packets>0</lost_packets>"),
              0u);
    EXPECT_EQ(lttng_discarded("<live_timer_interval>0</live_timer_interval><discarded_events>1221708</discarded_events>"
                              "<lost_packets>0</lost_packets></attributes>"),
              1221708u);
    EXPECT_EQ(lttng_discarded("<discarded_events>17</discarded_events>…<discarded_events>4</discarded_events>"), 21u);
    EXPECT_EQ(lttng_discarded("<command><success>false</success></command>"), std::nullopt);
}

TEST(ToolOutput, BabeltraceLastReport) {
    EXPECT_EQ(babeltrace_events(R"(          10001 Event messages
              2 Stream beginning messages
              0 Discarded event messages
          10005 messages (TOTAL)

        1015808 Event messages
              2 Stream beginning messages
              0 Discarded event messages
        1015820 messages (TOTAL)
)"),
              1015808u);
    EXPECT_EQ(babeltrace_events("ERROR:    [Babeltrace CLI]\n"), std::nullopt);
}

TEST(ToolOutput, UftraceCallsOfTheBenchAlone) {
    const std::string report = R"(  Total time   Self time       Calls  Function
  ==========  ==========  ==========  ====================
   20.735 ms   20.685 ms      372736  bench_lookup_mutex_map
    2.100 ms    2.100 ms       41000  bench_assign_mutex_map
   49.312 us   49.312 us           3  linux:schedule (pre-empted)
)";
    EXPECT_EQ(uftrace_calls(report, "bench_"), 413736u);
    EXPECT_EQ(uftrace_calls("WARN: cannot open record data: uf.data: No data available\n", "bench_"), std::nullopt);
}

// The words are those of uftrace's source: no run here has made it lose any.
TEST(ToolOutput, UftraceLost) {
    EXPECT_EQ(uftrace_lost("WARN: LOST 1234 records\n"), 1234u);
    EXPECT_EQ(uftrace_lost("109.7 184320\n"), 0u);
}

}  // namespace
}  // namespace mapaudit::bench
