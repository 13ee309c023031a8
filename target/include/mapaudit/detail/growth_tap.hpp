// SPDX-License-Identifier: Apache-2.0
//
// A go_table's observer for maps that keep their own vital signs: counts a growth there too.
#ifndef MAPAUDIT_DETAIL_GROWTH_TAP_HPP
#define MAPAUDIT_DETAIL_GROWTH_TAP_HPP

#include <cstdint>

#include <mapaudit/detail/growth_collector.hpp>
#include <mapaudit/detail/vital_signs.hpp>

namespace mapaudit::detail {

class growth_tap : public growth_collector {
public:
    growth_tap(const map_handle& handle, vital_signs& signs, std::uint32_t part) noexcept
        : growth_collector(handle, part, signs.grows), signs_(signs) {}

    void grew(std::uint64_t old_buckets, std::uint64_t new_buckets, std::uint64_t duration_ns,
              mapaudit_grow_reason reason) noexcept {
        vital_signs::add(signs_.grows, 1);
        growth_collector::grew(old_buckets, new_buckets, duration_ns, reason);
    }

private:
    vital_signs& signs_;
};

}  // namespace mapaudit::detail

#endif
