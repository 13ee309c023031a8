// SPDX-License-Identifier: Apache-2.0
//
// A go_table's observer: keeps what the table tells during one operation for the probes, which fire after it.
#ifndef MAPAUDIT_DETAIL_GROWTH_COLLECTOR_HPP
#define MAPAUDIT_DETAIL_GROWTH_COLLECTOR_HPP

#include <cstdint>

#include <mapaudit/probes.h>

namespace mapaudit::detail {

// The table keeps its address, which must not be the running
// operation's: that one then stays in registers.
class growth_collector {
public:
    // `grows`: the table's own count, which stands at the growth's number while its critical section lasts.
    growth_collector(const map_handle& handle, std::uint32_t part, const std::uint64_t& grows) noexcept
        : handle_(handle), part_(part), grows_(grows) {}

    std::uint64_t now() const noexcept { return handle_.now(); }
    void growing(bool is) const noexcept { handle_.growing(is); }
    void grew(std::uint64_t old_buckets, std::uint64_t new_buckets, std::uint64_t duration_ns,
              mapaudit_grow_reason reason) noexcept {
        growth_ = {old_buckets, new_buckets, duration_ns, reason, part_, static_cast<std::uint32_t>(grows_)};
        grew_ = true;
    }
    void evacuated(std::uint64_t done, std::uint64_t total) noexcept {
        evacuation_ = {done, total, part_};
        evacuated_ = true;
    }

    template <class Running>
    [[gnu::always_inline]] void tell(Running& running) const noexcept {
        if (grew_) [[unlikely]]
            running.grew(growth_);
        if (evacuated_) [[unlikely]]
            running.evacuated(evacuation_);
    }

private:
    const map_handle& handle_;
    std::uint32_t part_;
    const std::uint64_t& grows_;
    bool grew_ = false, evacuated_ = false;
    growth growth_;          // only meaningful when grew_
    evacuation evacuation_;  // only meaningful when evacuated_
};

}  // namespace mapaudit::detail

#endif
