// SPDX-License-Identifier: Apache-2.0
#include "output/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "output/format.hpp"

namespace mapaudit::output {

std::string ledger_line(const model::Ledger& ledger) {
    const std::uint64_t lost = ledger.lost_total();
    std::string line = fmt::format("{} fired = {} handled + {} lost", ledger.fired, ledger.handled, lost);
    std::string causes;
    for (const model::Loss& loss : ledger.lost) {
        if (loss.count == 0) continue;
        causes += fmt::format("{}{} {}", causes.empty() ? "" : ", ", loss.count, escape(loss.cause));
    }
    if (!causes.empty()) line += " (" + causes + ")";
    const std::uint64_t known = ledger.handled + lost;
    if (known < ledger.fired) line += fmt::format(" - DOES NOT BALANCE: {} unaccounted for", ledger.fired - known);
    if (known > ledger.fired) line += fmt::format(" - DOES NOT BALANCE: {} too many", known - ledger.fired);
    return line;
}

std::string self_line(const model::SelfCost& self) {
    return fmt::format("{} of a core, {} + {} in the kernel", percent(self.cpu_percent), bytes(self.rss_bytes),
                       bytes(self.kernel_bytes));
}

std::string overhead_line(const model::Overhead& overhead) {
    if (!overhead.percent) return {};
    return fmt::format("about {} of its CPU time{}", percent(*overhead.percent),
                       overhead.prices.measured ? "" : " (assumed: not calibrated on this host)");
}

std::string overhead_grounds(const model::Overhead& overhead) {
    const model::Prices& prices = overhead.prices;
    const model::Activity& activity = overhead.activity;
    const bool breakpoints = activity.breakpoints + activity.steps != 0;
    std::string text;
    if (!breakpoints || activity.operations() != 0)
        text += fmt::format(
            "{:.0f} ns an operation timed, {:.1f} ns one counted, {:.0f} ns a batch, {:.0f} ns "
            "an event, {:.1f} us a CPU sample, ",
            prices.record_ns + prices.program_ns, prices.counted_ns, prices.trap_ns, prices.event_ns,
            prices.sample_ns / 1000);
    if (breakpoints) text += fmt::format("{:.0f} ns a breakpoint, ", prices.breakpoint_ns);
    if (activity.steps != 0) text += fmt::format("{:.1f} us one that is single-stepped, ", prices.step_ns / 1000);
    text += prices.measured ? "calibrated on this host" : "assumed";
    if (overhead.budget_percent) text += fmt::format("; budget {}", percent(*overhead.budget_percent));
    if (overhead.budget_percent && (!breakpoints || overhead.switches != 0))
        text += fmt::format(", level switched {} times", overhead.switches);
    return text;
}

std::string why_empty(const model::Report& report) {
    if (report.maps == 0) return "no map seen yet";
    const bool any = std::any_of(report.rows.begin(), report.rows.end(),
                                 [](const model::Row& r) { return r.op != model::Op::none; });
    if (any) return "no map's name matches the filter";
    return fmt::format("{} known, no operation seen yet", counted(report.maps, "map", "maps"));
}

std::string targets_line(const model::Report& report, std::size_t most) {
    std::string line;
    const std::size_t named = std::min(most, report.targets.size());
    for (std::size_t i = 0; i < named; ++i) {
        const model::Target& target = report.targets[i];
        line += fmt::format("{}{} ({}, {}{})", i == 0 ? "pid " : ", ", target.pid, escape(target.comm),
                            escape(target.level), target.alive ? "" : ", ended");
    }
    if (report.targets.size() > named) line += fmt::format(" and {} more", report.targets.size() - named);
    return line;
}

}  // namespace mapaudit::output
