// SPDX-License-Identifier: Apache-2.0
//
// What table_map is made of: a table with its access rule, once or many times.
#ifndef MAPAUDIT_DETAIL_TABLE_PARTS_HPP
#define MAPAUDIT_DETAIL_TABLE_PARTS_HPP

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <mapaudit/detail/allocation.hpp>

namespace mapaudit::detail {

// A table with its lock, on cache lines that no other part shares; the lock and the table's root in the first.
template <class Access, class Table>
struct alignas(64) table_part {
    template <class Allocator, class... Args>
    explicit table_part(const Allocator& allocator, std::size_t reserve, const Args&... args)
        : access(args...), table(reserve, allocator) {}

    mutable Access access;
    Table table;
};

template <class Part, class Allocator>
class one_part {
public:
    template <class... Args>
    explicit one_part(const Allocator& allocator, std::size_t reserve, const Args&... args)
        : part_(allocator, reserve, args...) {}

    static constexpr std::uint32_t count() noexcept { return 1; }
    Part* begin() noexcept { return &part_; }
    const Part* begin() const noexcept { return &part_; }
    const Part* end() const noexcept { return &part_ + 1; }
    Part* end() noexcept { return &part_ + 1; }
    static constexpr std::uint32_t index_of(std::uint64_t /*hash*/) noexcept { return 0; }

private:
    Part part_;
};

// As many parts as asked for, rounded up to a power of two. The hash bits that choose one lie just below the tophash's
// eight and far above those that choose a bucket: within a part, neither loses any of its range.
template <class Part, class Allocator>
class many_parts {
public:
    static constexpr std::size_t most = 65536;

    many_parts(const Allocator& allocator, std::size_t reserve, std::size_t parts)
        : mask_(std::bit_ceil(parts < 1      ? 1
                              : parts > most ? most
                                             : parts) -
                1),
          parts_(allocator, mask_ + 1, allocator, std::size_t{0}) {
        const auto bits = static_cast<unsigned>(std::popcount(mask_));
        shift_ = 56 - bits;
        // Shards fill unevenly: four standard deviations more than their share.
        const double share = static_cast<double>(reserve) / static_cast<double>(count());
        for (Part& part : *this) part.table.presize(static_cast<std::size_t>(share + 4 * std::sqrt(share) + 0.5));
    }

    std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(mask_ + 1); }
    Part* begin() noexcept { return parts_.begin(); }
    const Part* begin() const noexcept { return parts_.begin(); }
    Part* end() noexcept { return parts_.end(); }
    const Part* end() const noexcept { return parts_.end(); }
    std::uint32_t index_of(std::uint64_t hash) const noexcept {
        return static_cast<std::uint32_t>((hash >> shift_) & mask_);
    }

private:
    std::size_t mask_;
    unsigned shift_ = 0;
    fixed_array<Part, Allocator> parts_;
};

}  // namespace mapaudit::detail

#endif
