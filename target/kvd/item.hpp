// SPDX-License-Identifier: Apache-2.0
//
// What a key leads to, and the memory that all of it may take.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace kvd {

inline constexpr std::size_t max_key_bytes = 250;
inline constexpr std::size_t max_value_bytes = 1 << 20;

// How many bytes items may take, and how many they do. Any thread may use it; it outlives its charges.
class MemoryBudget {
public:
    // Bytes taken, given back when it goes.
    class Charge {
    public:
        Charge(Charge&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
        Charge& operator=(Charge&&) = delete;
        ~Charge() {
            if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
        }

    private:
        friend MemoryBudget;
        Charge(MemoryBudget* budget, std::uint64_t bytes) noexcept : budget_(budget), bytes_(bytes) {}
        MemoryBudget* budget_;
        std::uint64_t bytes_;
    };

    explicit MemoryBudget(std::uint64_t limit_bytes) noexcept : limit_(limit_bytes) {}
    MemoryBudget(const MemoryBudget&) = delete;
    MemoryBudget& operator=(const MemoryBudget&) = delete;

    // Nothing when that would be more than the limit.
    std::optional<Charge> take(std::uint64_t bytes) noexcept {
        // Added first, so that two that ask at once cannot both get the last room; either may be refused then.
        if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes > limit_) {
            used_.fetch_sub(bytes, std::memory_order_relaxed);
            return std::nullopt;
        }
        return Charge(this, bytes);
    }
    std::uint64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
    std::uint64_t limit() const noexcept { return limit_; }

private:
    std::atomic<std::uint64_t> used_ = 0;
    const std::uint64_t limit_;
};

// Never changed once it is in the map: a reply is written from it while the map goes on.
struct Item {
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    std::uint32_t flags;
    std::int64_t expires_ms;  // by the store's clock; gone from then on
    std::uint64_t cas;        // unique in the store; a later write's is greater
    std::string value;
    MemoryBudget::Charge charge;
};

// The map copies and moves this alone, so that its critical sections do not grow with the values.
using ItemPtr = std::shared_ptr<const Item>;

}  // namespace kvd
