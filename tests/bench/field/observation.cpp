// SPDX-License-Identifier: Apache-2.0
#include "field/observation.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "results.hpp"
#include "subject.hpp"
#include "support/child.hpp"

namespace mapaudit::bench {
namespace {

constexpr double seconds = 1;
constexpr const char* interval_s = "0.2";

double number(const test::CsvRow& row, const std::string& column) {
    const std::string& text = row.at(column);
    return text.empty() ? 0 : std::stod(text);
}

bool is_operation(const test::CsvRow& row) { return !row.at("op").empty() && row.at("op") != "grow"; }

std::uint64_t operations_of(const std::vector<test::CsvRow>& totals) {
    std::uint64_t sum = 0;
    for (const test::CsvRow& row : totals)
        if (is_operation(row)) sum += std::stoull(row.at("calls"));
    return sum;
}

std::uint64_t operations_done(const std::string& ground_truth) {
    std::uint64_t sum = 0;
    const auto truth = nlohmann::json::parse(ground_truth);
    for (const auto& [op, calls] : truth.at("ops").items()) sum += calls.get<std::uint64_t>();
    return sum;
}

}  // namespace

double Observation::goodness(Figure figure) const {
    if (figure == Figure::throughput) return ops_per_s;
    const double latency = figure == Figure::lookup_p50 ? lookup_p50_ns : lookup_p99_ns;
    if (latency <= 0) throw BenchError("no look-up was timed");
    return 1e9 / latency;
}

Observation read_observation(const std::vector<test::CsvRow>& rows) {
    std::map<double, double> rates;  // by the interval's end
    for (const test::CsvRow& row : test::rows_of(rows, "interval"))
        if (is_operation(row)) rates[number(row, "elapsed_s")] += number(row, "calls_per_s");
    if (rates.size() < 3) throw BenchError("the audit was too short: no interval between its first and its last");
    std::vector<double> inner;
    for (auto rate = std::next(rates.begin()); std::next(rate) != rates.end(); ++rate) inner.push_back(rate->second);

    Observation observation;
    observation.ops_per_s = median_of(inner);
    if (observation.ops_per_s <= 0) throw BenchError("the auditor saw no operation");
    for (const test::CsvRow& row : test::rows_of(rows, "total")) {
        if (!is_operation(row)) continue;
        observation.waiting += number(row, "wait_total_ns") / 1e9 / number(row, "elapsed_s");
        if (row.at("op") != "lookup") continue;
        observation.lookup_p50_ns = number(row, "p50_ns");
        observation.lookup_p99_ns = number(row, "p99_ns");
    }
    return observation;
}

Observation observe(const FieldPaths& paths, const std::string& kind, const Mix& mix, const std::string& level) {
    test::Child driver({paths.workload,
                        "--map",
                        kind,
                        "--threads",
                        std::to_string(mix.threads),
                        "--read-ratio",
                        std::to_string(mix.read_ratio),
                        "--erase-ratio",
                        std::to_string(mix.erase_ratio),
                        "--keys",
                        std::to_string(mix.keys),
                        "--prefill",
                        std::to_string(mix.keys),
                        "--dist",
                        mix.distribution,
                        "--duration",
                        std::to_string(seconds),
                        "--wait-attach",
                        "30",
                        "--json"});
    if (!driver.wait_for("ready")) throw BenchError(kind + ": the driver did not get ready: " + driver.err());
    test::Child auditor({paths.auditor, "attach", "-p", std::to_string(driver.pid()), "--level", level, "-i",
                         interval_s, "--no-cpu", "-q", "--csv", paths.csv});
    const test::Finished driven = driver.finish(test::Child::Seconds(60 + seconds));
    const test::Finished audited = auditor.finish(test::Child::Seconds(30));
    if (driven.exit_code != 0) throw BenchError(kind + ": the driver failed: " + driven.err);
    if (audited.exit_code != 0) throw BenchError(kind + ": the auditor failed: " + audited.err);
    const auto rows = test::read_csv(paths.csv);
    const std::uint64_t done = operations_done(driven.out), seen = operations_of(test::rows_of(rows, "total"));
    if (done == 0 || done != seen)
        throw BenchError(fmt::format("{}, {}: {} operations done, {} seen", kind, describe(mix), done, seen));
    return read_observation(rows);
}

}  // namespace mapaudit::bench
