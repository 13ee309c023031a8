// SPDX-License-Identifier: Apache-2.0
#include "model/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace mapaudit::model {
namespace {

using Values = std::vector<std::uint64_t>;

constexpr std::uint64_t sixty_seconds_ns = 60'000'000'000;
constexpr double promised_error = 0.032;
constexpr unsigned permilles[] = {0, 1, 10, 100, 250, 500, 750, 900, 950, 990, 999, 1000};

struct Distribution {
    std::string name;
    std::function<Values(std::mt19937_64&)> draw;
};

Values draw_n(std::size_t n, const std::function<double()>& one) {
    Values values(n);
    for (std::uint64_t& value : values)
        value = static_cast<std::uint64_t>(std::clamp(one(), 0.0, static_cast<double>(sixty_seconds_ns)));
    return values;
}

Values edges_of_powers(std::mt19937_64&) {
    Values values;
    for (unsigned bit = 0; (std::uint64_t{1} << bit) <= sixty_seconds_ns; ++bit) {
        const std::uint64_t power = std::uint64_t{1} << bit;
        values.insert(values.end(), {power - 1, power, power + 1});
    }
    return values;
}

// Both ends of every bucket up to 60 s: where a histogram is furthest off.
Values edges_of_buckets(std::mt19937_64&) {
    Values values;
    for (std::uint32_t b = 0; mapaudit_bucket_floor(b + 1) <= sixty_seconds_ns; ++b)
        values.insert(values.end(), {mapaudit_bucket_floor(b), mapaudit_bucket_floor(b + 1) - 1});
    return values;
}

std::vector<Distribution> distributions() {
    return {
        {"uniform_small",
         [](auto& r) { return draw_n(10'007, [&] { return std::uniform_real_distribution(0.0, 200.0)(r); }); }},
        {"uniform_to_60s",
         [](auto& r) { return draw_n(10'007, [&] { return std::uniform_real_distribution(0.0, 6e10)(r); }); }},
        {"exponential",
         [](auto& r) { return draw_n(10'007, [&] { return std::exponential_distribution(1 / 350.0)(r); }); }},
        {"bimodal",
         [](auto& r) {
             return draw_n(10'007, [&] {
                 return std::bernoulli_distribution(0.9)(r) ? std::normal_distribution(40.0, 3.0)(r)
                                                            : std::normal_distribution(2e6, 1e5)(r);
             });
         }},
        {"constant", [](auto&) { return Values(1'009, 12'345); }},
        {"one_value", [](auto&) { return Values{59'999'999'999}; }},
        {"zeros", [](auto&) { return Values(17, 0); }},
        {"powers_of_two_and_neighbours", edges_of_powers},
        {"bucket_edges", edges_of_buckets},
        {"pareto",  // infinite variance
         [](auto& r) {
             return draw_n(10'007,
                           [&] { return 30 / std::pow(1 - std::uniform_real_distribution(0.0, 1.0)(r), 1 / 0.7); });
         }},
        {"lognormal", [](auto& r) { return draw_n(10'007, [&] { return std::lognormal_distribution(6.0, 3.0)(r); }); }},
        {"outlier_at_60s",
         [](auto&) {
             Values values(999, 20);
             values.push_back(sixty_seconds_ns);
             return values;
         }},
    };
}

Histogram histogram_of(const Values& values) {
    Histogram histogram;
    for (const std::uint64_t value : values) histogram.add(value);
    return histogram;
}

std::uint64_t exact_quantile(const Values& sorted, unsigned permille) {
    const std::size_t rank = std::max<std::size_t>(1, (sorted.size() * permille + 999) / 1000);
    return sorted[rank - 1];
}

void expect_same(const Histogram& a, const Histogram& b) {
    EXPECT_EQ(a.count(), b.count());
    for (std::uint32_t bucket = 0; bucket < MAPAUDIT_BUCKETS; ++bucket)
        ASSERT_EQ(a.bucket_count(bucket), b.bucket_count(bucket)) << "bucket " << bucket;
}

class HistogramOf : public testing::TestWithParam<Distribution> {};

TEST_P(HistogramOf, quantiles_are_within_the_promised_error) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        std::mt19937_64 random(seed);
        Values values = GetParam().draw(random);
        const Histogram histogram = histogram_of(values);
        std::sort(values.begin(), values.end());
        for (const unsigned permille : permilles) {
            const auto exact = static_cast<double>(exact_quantile(values, permille));
            const std::optional<double> read = histogram.quantile(permille / 1000.0);
            ASSERT_TRUE(read);
            EXPECT_LE(std::abs(*read - exact), promised_error * exact)
                << "seed " << seed << ", " << permille << " permille: exact " << exact << ", read " << *read;
        }
    }
}

TEST_P(HistogramOf, edges_and_sum_are_within_a_bucket) {
    std::mt19937_64 random(4);
    const Values values = GetParam().draw(random);
    const Histogram histogram = histogram_of(values);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    EXPECT_LE(*histogram.lowest(), *least);
    EXPECT_GE(static_cast<double>(*histogram.lowest()), static_cast<double>(*least) * (1 - promised_error));
    EXPECT_GE(*histogram.highest(), *most);
    EXPECT_LE(static_cast<double>(*histogram.highest()), static_cast<double>(*most) * (1 + promised_error));
    double sum = 0;
    for (const std::uint64_t value : values) sum += static_cast<double>(value);
    EXPECT_NEAR(histogram.sum(), sum, promised_error * sum);
}

TEST_P(HistogramOf, merge_of_parts_is_the_whole) {
    std::mt19937_64 random(5);
    const Values values = GetParam().draw(random);
    std::vector<Histogram> parts(7);
    for (std::size_t i = 0; i < values.size(); ++i) parts[random() % parts.size()].add(values[i]);
    Histogram merged;
    for (const Histogram& part : parts) merged.merge(part);
    expect_same(merged, histogram_of(values));
}

INSTANTIATE_TEST_SUITE_P(distributions, HistogramOf, testing::ValuesIn(distributions()),
                         [](const auto& instance) { return instance.param.name; });

// Whatever the distribution, a percentile is one value, read back as the middle of its bucket: no distribution can be
// further off than a bucket's two ends are.
TEST(Histogram, no_value_up_to_60_s_is_read_back_further_off_than_promised) {
    for (std::uint32_t bucket = 0; mapaudit_bucket_floor(bucket) <= sixty_seconds_ns; ++bucket) {
        for (const std::uint64_t value : {mapaudit_bucket_floor(bucket), mapaudit_bucket_floor(bucket + 1) - 1}) {
            Histogram histogram;
            histogram.add(value);
            ASSERT_EQ(histogram.bucket_count(bucket), 1u) << value;
            const auto exact = static_cast<double>(value);
            EXPECT_LE(std::abs(*histogram.quantile(0.5) - exact), promised_error * exact) << value;
        }
    }
}

TEST(Histogram, empty_has_no_figures) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_FALSE(histogram.quantile(0.5));
    EXPECT_FALSE(histogram.highest());
    EXPECT_FALSE(histogram.lowest());
    EXPECT_EQ(histogram.sum(), 0.0);
}

TEST(Histogram, a_value_counted_many_times_is_one_bucket) {
    Histogram histogram;
    histogram.add(100, 1'000'000'007);
    histogram.add(7, 0);
    EXPECT_EQ(histogram.count(), 1'000'000'007u);
    EXPECT_EQ(histogram.bucket_count(mapaudit_bucket(100)), 1'000'000'007u);
    EXPECT_EQ(histogram.lowest(), 100u);
}

TEST(Histogram, counts_grow_past_32_bits_without_a_jump) {
    constexpr std::uint64_t most = UINT32_MAX;
    Histogram by_add, by_merge, small, large;
    small.add(1000, 3);
    large.add(50, most);
    large.add(1'000'000, most);
    for (const Histogram* other : {&large, &small}) by_merge.merge(*other);
    by_add.add(1'000'000, most);
    by_add.add(1000, 1);
    by_add.add(1000, 2);
    by_add.add(50, most - 1);
    by_add.add(50, 1);
    EXPECT_EQ(by_add.count(), 2 * most + 3);
    EXPECT_EQ(by_add.bucket_count(mapaudit_bucket(50)), most);
    EXPECT_EQ(by_add.bucket_count(mapaudit_bucket(1000)), 3u);
    expect_same(by_add, by_merge);
    small.merge(large);  // from few to many
    expect_same(small, by_add);
    by_add.merge(by_merge);
    EXPECT_EQ(by_add.bucket_count(mapaudit_bucket(50)), 2 * most);
    EXPECT_EQ(by_add.bucket_count(mapaudit_bucket(1'000'000)), 2 * most);
}

TEST(Histogram, merges_with_itself) {
    Histogram histogram;
    histogram.add(10, 2);
    histogram.add(100'000, 3);
    histogram.merge(histogram);
    EXPECT_EQ(histogram.count(), 10u);
    EXPECT_EQ(histogram.bucket_count(10), 4u);
    EXPECT_EQ(histogram.bucket_count(mapaudit_bucket(100'000)), 6u);
}

TEST(Histogram, quantile_is_the_ceiling_of_the_rank) {
    Histogram histogram;
    for (std::uint64_t value = 1; value <= 20; ++value) histogram.add(value);  // linear page: exact
    EXPECT_EQ(histogram.quantile(0), 1.0);
    EXPECT_EQ(histogram.quantile(0.05), 1.0);
    EXPECT_EQ(histogram.quantile(0.051), 2.0);
    EXPECT_EQ(histogram.quantile(0.35), 7.0);  // 0.35 * 20 is just over 7 in binary
    EXPECT_EQ(histogram.quantile(0.5), 10.0);
    EXPECT_EQ(histogram.quantile(1), 20.0);
    EXPECT_EQ(histogram.quantile(-1), 1.0);
    EXPECT_EQ(histogram.quantile(2), 20.0);
}

TEST(Histogram, what_is_too_large_is_counted_in_the_last_bucket) {
    Histogram histogram;
    histogram.add(UINT64_MAX);
    histogram.add_bucket(UINT32_MAX, 2);
    EXPECT_EQ(histogram.bucket_count(MAPAUDIT_BUCKETS - 1), 3u);
    EXPECT_EQ(histogram.bucket_count(UINT32_MAX), 0u);
    EXPECT_EQ(histogram.highest(), (std::uint64_t{1} << 41) - 1);
}

TEST(Histogram, copies_are_independent_and_clear_empties) {
    Histogram original;
    original.add(5);
    original.add(1 << 20);
    Histogram copy = original;
    expect_same(copy, original);
    copy.add(5);
    EXPECT_EQ(original.bucket_count(5), 1u);
    Histogram assigned;
    assigned.add(999);
    assigned = original;
    expect_same(assigned, original);
    const Histogram& self = assigned;
    assigned = self;
    expect_same(assigned, original);
    original.clear();
    EXPECT_EQ(original.count(), 0u);
    EXPECT_FALSE(original.highest());
    EXPECT_EQ(assigned.count(), 2u);
}

}  // namespace
}  // namespace mapaudit::model
