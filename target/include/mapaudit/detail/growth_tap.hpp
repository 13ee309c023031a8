// SPDX-License-Identifier: Apache-2.0
//
// A go_table's observer for maps that keep their own vital signs: counts a growth there and keeps it for the probe.
#ifndef MAPAUDIT_DETAIL_GROWTH_TAP_HPP
#define MAPAUDIT_DETAIL_GROWTH_TAP_HPP

#include <cstdint>

#include <mapaudit/detail/audited_map.hpp>

namespace mapaudit::detail {

class growth_tap {
public:
    growth_tap(const map_handle& handle, vital_signs& signs, std::uint32_t part) noexcept
        : handle_(handle), signs_(signs), part_(part) {}

    std::uint64_t now() const noexcept { return handle_.now(); }
    void growing(bool is) const noexcept { handle_.growing(is); }
    void grew(std::uint64_t old_buckets, std::uint64_t new_buckets, std::uint64_t duration_ns,
              mapaudit_grow_reason reason) noexcept {
        vital_signs::add(signs_.grows, 1);
        growth_ = {old_buckets, new_buckets, duration_ns, reason, part_, static_cast<std::uint32_t>(signs_.grows)};
        grew_ = true;
    }
    void evacuated(std::uint64_t done, std::uint64_t total) noexcept {
        evacuation_ = {done, total, part_};
        evacuated_ = true;
    }
    template <class Running>
    void tell(Running& running) const noexcept {
        if (grew_) [[unlikely]]
            running.grew(growth_);
        if (evacuated_) [[unlikely]]
            running.evacuated(evacuation_);
    }

private:
    const map_handle& handle_;
    vital_signs& signs_;
    std::uint32_t part_;
    bool grew_ = false, evacuated_ = false;
    growth growth_{};
    evacuation evacuation_{};
};

}  // namespace mapaudit::detail

#endif
