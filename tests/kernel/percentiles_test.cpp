// SPDX-License-Identifier: Apache-2.0
//
// The auditor's percentiles against the driver's own timing of the same operations, contended and not. The driver's
// window around an operation begins before the call and ends where the operation does
// (target/workload/window_costs.hpp), so that both sides meet the same waits and the same interrupts: a busy machine
// moves both figures alike.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "support/audited_run.hpp"

namespace mapaudit::test {
namespace {

// Whose latencies: those of all calls, or of the calls that the auditor timed as well.
enum class Of : std::size_t { all_calls = 2, audited_calls = 3 };

// Latencies as the driver counted them: [from, to, calls, audited calls] a bucket. Within a bucket, calls count as
// evenly spread.
class Driven {
public:
    Driven(const nlohmann::json& buckets, Of whose) {
        for (const auto& bucket : buckets) {
            const auto calls = bucket[static_cast<std::size_t>(whose)].get<double>();
            if (calls == 0) continue;
            buckets_.push_back({bucket[0].get<double>(), bucket[1].get<double>(), calls});
            calls_ += calls;
        }
    }
    double calls() const { return calls_; }
    // The latency that this share of the calls did not exceed.
    double quantile(double share) const {
        double left = std::clamp(share, 0.0, 1.0) * calls_;
        for (const Bucket& bucket : buckets_) {
            if (left <= bucket.calls) return bucket.from + (bucket.to - bucket.from) * left / bucket.calls;
            left -= bucket.calls;
        }
        return buckets_.empty() ? 0 : buckets_.back().to;
    }
    // The share of the calls that took no longer.
    double share(double latency_ns) const {
        double below = 0;
        for (const Bucket& bucket : buckets_)
            below += bucket.calls * std::clamp((latency_ns - bucket.from) / (bucket.to - bucket.from), 0.0, 1.0);
        return below / calls_;
    }

private:
    struct Bucket {
        double from, to, calls;
    };
    std::vector<Bucket> buckets_;
    double calls_ = 0;
};

struct Percentile {
    const char* column;
    double share;
};
constexpr Percentile percentiles[] = {{"p50_ns", 0.5}, {"p90_ns", 0.9}, {"p99_ns", 0.99}};

double tolerance(double ns) { return std::max(0.10 * ns, 15.0); }

// Every call was timed by both. Where the distribution is steep (one call in a hundred waits for a lock, a hundred
// times as long as the others take), a few calls more or less below a percentile move it by any amount, and 10 % of a
// value say nothing: there the audited value has to have its rank among the driver's calls, to half a call in a
// hundred.
bool agrees(const Driven& driven, double share, double audited_ns) {
    const double ns = driven.quantile(share);
    return std::abs(audited_ns - ns) <= tolerance(ns) || std::abs(driven.share(audited_ns) - share) <= 0.005;
}

// The auditor timed n calls of all, drawn at random: how many of them lie at or below the value of rank q is binomial,
// so the share of all calls that its q-quantile stands for is off by sqrt(q (1 - q) / n), one standard error. Four of
// them are exceeded once in 16,000 comparisons. The driver's latencies at both ends of that range of ranks are the
// range of values; the timing itself has the tolerance that it has at level full.
//
// Above the median, a second bound holds instead where it is wider: what the driver saw of those very calls. The code
// that times a call ran a hundred calls ago, so the slowest of them are slower than they were untimed, by 20 to 60 ns
// on an idle machine: seen where no call takes long. The driver's window around them, with the way in as cold as the
// rest, is the most that they took.
bool agrees_sampled(const Driven& all, const Driven& timed, double share, double audited_ns) {
    const double error = 4 * std::sqrt(share * (1 - share) / timed.calls());
    const double least = all.quantile(share - error);
    double most = all.quantile(share + error);
    if (share > 0.5) most = std::max(most, timed.quantile(share));
    return audited_ns >= least - tolerance(least) && audited_ns <= most + tolerance(most);
}

struct Load {
    const char* kind;
    const char* level;
    unsigned threads;
    bool contended;  // one map and few keys for all; else each thread has a map of its own
};
void PrintTo(const Load& load, std::ostream* out) {
    *out << load.kind << ", " << load.threads << (load.contended ? " contending" : " separate") << ", " << load.level;
}

AuditedRun run_load(const Load& load) {
    const char* keys = load.contended ? "16" : "10000";
    std::vector<std::string> workload{"--map",        load.kind, "--threads", std::to_string(load.threads),
                                      "--ops",        "1000003", "--keys",    keys,
                                      "--read-ratio", "0.5",     "--prefill", keys,
                                      "--time-ops"};
    if (!load.contended) workload.push_back("--own-maps");
    return run_audited(workload, {"--level", load.level});
}

// The percentiles that lay outside of their bounds; counts that differ fail at once.
std::vector<std::string> disagreements(const Load& load, const AuditedRun& run) {
    const bool sampled = std::string(load.level) == "sampled";
    const auto& maps = run.driver.at("maps");
    std::vector<std::string> found;
    std::size_t compared = 0;
    for (const CsvRow& row : rows_of(run.csv, "total")) {
        const std::string& op = row.at("op");
        if (op != "assign" && op != "lookup") continue;
        const auto map = std::find_if(maps.begin(), maps.end(),
                                      [&](const auto& m) { return m.at("id") == std::stoi(row.at("map_id")); });
        if (map == maps.end()) {
            ADD_FAILURE() << "no map " << row.at("map_id");
            continue;
        }
        const auto& buckets = map->at("latency_buckets_ns").at(op);
        const Driven all(buckets, Of::all_calls), timed(buckets, Of::audited_calls);
        // Not one operation is missing, on either side.
        EXPECT_EQ(all.calls(), map->at("ops").at(op).get<double>());
        EXPECT_EQ(row.at("calls"), std::to_string(map->at("ops").at(op).get<std::uint64_t>()));
        if (!sampled) {
            EXPECT_EQ(timed.calls(), all.calls());
        }
        for (const auto& [column, share] : percentiles) {
            const double audited_ns = std::stod(row.at(column));
            ++compared;
            if (sampled ? agrees_sampled(all, timed, share, audited_ns) : agrees(all, share, audited_ns)) continue;
            std::ostringstream line;
            line << op << " on map " << row.at("map_id") << ", " << column << ": " << audited_ns << " audited, "
                 << all.quantile(share) << " driven, " << timed.quantile(share) << " of those " << timed.calls()
                 << " that both timed; " << all.share(audited_ns) << " of the driven took no longer than audited";
            found.push_back(line.str());
        }
    }
    EXPECT_EQ(compared, maps.size() * 2 * std::size(percentiles));
    return found;
}

class Percentiles : public testing::TestWithParam<Load> {};

// Eight threads' percentiles are 48 comparisons, and the counter of some machines steps by 10 ns: chance puts one a
// step outside. It does not strike three runs in a row; an error of the auditor's does.
TEST_P(Percentiles, AgreeWithTheDrivers) {
    std::vector<std::string> all;
    for (int attempt = 0; attempt < 3; ++attempt) {
        const AuditedRun run = run_load(GetParam());
        ASSERT_FALSE(run.driver.is_null());
        const auto found = disagreements(GetParam(), run);
        if (found.empty() || HasFailure()) return;
        all.insert(all.end(), found.begin(), found.end());
    }
    for (const std::string& line : all) ADD_FAILURE() << line;
}

std::vector<Load> all_loads() {
    std::vector<Load> loads;
    for (const char* kind : {"go_map", "mutex_map", "rwlock_map", "sharded_map", "cas_map", "sync_map"})
        for (const char* level : {"full", "sampled"})
            for (const unsigned threads : {1u, 2u, 8u}) {
                loads.push_back({kind, level, threads, false});
                const bool may_share = std::string(kind) != "go_map";
                if (threads > 1 && may_share) loads.push_back({kind, level, threads, true});
            }
    return loads;
}

INSTANTIATE_TEST_SUITE_P(Loads, Percentiles, testing::ValuesIn(all_loads()), [](const auto& test) {
    const Load& load = test.param;
    return std::string(load.kind) + "_" + load.level + "_" + std::to_string(load.threads) +
           (load.contended ? "_contended" : "");
});

}  // namespace
}  // namespace mapaudit::test
