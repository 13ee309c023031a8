// SPDX-License-Identifier: Apache-2.0
//
// Random numbers and key distributions of the load: the same seed gives the same sequence on every machine, which
// the standard library's distributions do not promise.
#pragma once

#include <cmath>
#include <cstdint>

namespace mapaudit::workload {

// xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), seeded by splitmix64.
class Random {
public:
    Random(std::uint64_t seed, std::uint64_t stream) {
        std::uint64_t x = seed * 0x9e3779b97f4a7c15u + stream;
        for (std::uint64_t& word : state_) word = split_mix(x);
    }

    std::uint64_t next() noexcept {
        const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = rotate(state_[3], 45);
        return result;
    }

    // Uniform in [0, 1), 53 bits.
    double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    // Uniform in [0, bound) but for a bias below bound / 2^64.
    std::uint64_t below(std::uint64_t bound) noexcept {
        return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
    }

private:
    __extension__ using Wide = unsigned __int128;

    static std::uint64_t split_mix(std::uint64_t& x) noexcept {
        x += 0x9e3779b97f4a7c15u;
        std::uint64_t z = x;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    static std::uint64_t rotate(std::uint64_t x, int by) noexcept { return (x << by) | (x >> (64 - by)); }

    std::uint64_t state_[4];
};

// Zipf over [0, n): key k is drawn in proportion to 1 / (k + 1)^theta, so that key 0 is the hottest. The method of
// Gray, Sundaresan, Englert, Baclawski and Weinberger, "Quickly generating billion-record synthetic databases",
// SIGMOD 1994, with the exponent of YCSB's generator (Cooper et al., SoCC 2010). Making one costs n calls of pow.
class Zipf {
public:
    static constexpr double theta = 0.99;

    explicit Zipf(std::uint64_t n) : n_(static_cast<double>(n)), last_(n - 1) {
        double zeta = 0;
        for (std::uint64_t i = 1; i <= n; ++i) zeta += 1.0 / std::pow(static_cast<double>(i), theta);
        const double zeta2 = 1.0 + std::pow(0.5, theta);
        zeta_ = zeta;
        second_ = zeta2;
        // With n <= 2 the first two cases of operator() are all there is, and eta's formula would divide by zero.
        eta_ = n > 2 ? (1.0 - std::pow(2.0 / n_, 1.0 - theta)) / (1.0 - zeta2 / zeta) : 0.0;
    }

    std::uint64_t operator()(Random& random) const noexcept {
        const double u = random.unit();
        const double uz = u * zeta_;
        if (uz < 1.0 || last_ == 0) return 0;
        if (uz < second_ || last_ == 1) return 1;
        const auto key = static_cast<std::uint64_t>(n_ * std::pow(eta_ * u - eta_ + 1.0, 1.0 / (1.0 - theta)));
        return key < last_ ? key : last_;
    }

private:
    double n_, zeta_, second_, eta_;
    std::uint64_t last_;
};

}  // namespace mapaudit::workload
