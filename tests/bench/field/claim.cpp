// SPDX-License-Identifier: Apache-2.0
#include "field/claim.hpp"

#include <fmt/format.h>

namespace mapaudit::bench {

std::vector<Claim> claims() {
    using enum Figure;
    constexpr unsigned some = 16;  // where the article does not say how many threads it ran
    const Mix mixed{some, 0.5, 0.1, "uniform"}, reading{some, 1.0, 0, "uniform"};
    // Keys come and go: what a map with a read-only part is not made for.
    const Mix writing{some, 0, 0.5, "uniform"}, mostly_reading{some, 0.99, 0.1, "zipf"};
    const Mix overwriting{some, 0.5, 0, "uniform"}, crowded{128, 0.9, 0.1, "uniform"};
    return {
        {"sharded_map", "rwlock_map", throughput, 3.1, mixed},
        {"sync_map", "rwlock_map", throughput, 2.0, reading},
        {"sync_map", "rwlock_map", throughput, 0.56, writing},
        {"snapshot_map", "sync_map", lookup_p50, 2.6, mostly_reading},
        {"cas_map", "tophash_map", throughput, 3.0, overwriting},
        {"tophash_map", "rwlock_map", throughput, 2.8, crowded},
        {"tophash_map", "rwlock_map", lookup_p99, 4.0, crowded},
    };
}

TurningPoint turning_point() {
    return {"rwlock_map", "mutex_map", {1, 2, 8, 32, 128, 512}, 128, {1, 0.99, 0, "uniform"}};
}

std::string describe(const Mix& mix) {
    const std::string erases =
        mix.erase_ratio == 0 ? "" : fmt::format(", {:.0f} % of writes erase", 100 * mix.erase_ratio);
    return fmt::format("{} threads, {:.0f} % reads{}, {} keys, {}", mix.threads, 100 * mix.read_ratio, erases, mix.keys,
                       mix.distribution);
}

std::string describe(Figure figure) {
    switch (figure) {
        case Figure::lookup_p50: return "look-ups' p50";
        case Figure::lookup_p99: return "look-ups' p99";
        default: return "throughput";
    }
}

}  // namespace mapaudit::bench
