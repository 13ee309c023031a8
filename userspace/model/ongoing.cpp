// SPDX-License-Identifier: Apache-2.0
#include "model/ongoing.hpp"

#include <algorithm>
#include <iterator>

namespace mapaudit::model {
namespace {

constexpr std::uint64_t OpBlame::*times[] = {&OpBlame::slept_ns, &OpBlame::lock_slept_ns, &OpBlame::preempted_ns,
                                             &OpBlame::lock_preempted_ns};

// As the program does when it ends.
void add_time(OpBlame& blame, const OffCpu& off, std::uint64_t ns) {
    if (off.preempted) {
        blame.preempted_ns += ns;
        if (off.holding) blame.lock_preempted_ns += ns;
    } else {
        blame.slept_ns += ns;
        if (off.waiting) blame.lock_slept_ns += ns;
    }
}

}  // namespace

void Ongoing::take_back_ended(const std::vector<OffCpu>& off) {
    std::map<std::uint32_t, std::uint64_t> since;
    for (const OffCpu& one : off) since[one.tid] = one.since_ns;
    std::erase_if(credits_, [&](const auto& entry) {
        const auto& [tid, credit] = entry;
        const auto still = since.find(tid);
        if (still != since.end() && still->second == credit.off.since_ns) return false;
        add_time(owed_[credit.off.operation], credit.off, credit.ns);
        return true;
    });
}

void Ongoing::pay(Gained& gained) {
    for (auto entry = owed_.begin(); entry != owed_.end();) {
        OpBlame& owed = entry->second;
        if (const auto found = gained.find(entry->first); found != gained.end())
            for (const auto time : times) {
                const std::uint64_t paid = std::min(owed.*time, found->second.*time);
                owed.*time -= paid;
                found->second.*time -= paid;
            }
        entry = owed.empty() ? owed_.erase(entry) : std::next(entry);
    }
}

void Ongoing::settle(const std::vector<OffCpu>& off, std::uint64_t now_ns, Gained& gained) {
    take_back_ended(off);
    pay(gained);
    for (const OffCpu& one : off) {
        Credit& credit = credits_[one.tid];
        credit.off = one;
        const std::uint64_t passed = now_ns > one.since_ns ? now_ns - one.since_ns : 0;
        if (passed <= credit.ns) continue;
        add_time(gained[one.operation], one, passed - credit.ns);
        credit.ns = passed;
    }
}

}  // namespace mapaudit::model
