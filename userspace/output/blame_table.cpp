// SPDX-License-Identifier: Apache-2.0
#include "output/blame_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "output/format.hpp"
#include "output/row_table.hpp"

namespace mapaudit::output {

namespace {

constexpr std::size_t widest_map = 40, narrowest_map = 9, most_maps = 20, most_counted = 10;

struct Shown {
    const model::MapBlame* map;
    model::OpBlame sum;
    std::string label;
};

// Those whose name matches, the most sampled first.
std::vector<Shown> shown_maps(const model::Report& total, const MapFilter& filter) {
    std::vector<Shown> shown;
    for (const model::MapBlame& map : total.cpu.maps) {
        if (filter.matches(*map.map)) shown.push_back({&map, map.sum(), map_label(*map.map, total.targets.size() > 1)});
    }
    std::stable_sort(shown.begin(), shown.end(),
                     [](const Shown& a, const Shown& b) { return a.sum.all() > b.sum.all(); });
    return shown;
}

std::string share(const model::CpuReport& cpu, const Shown& map, std::uint64_t samples) {
    const auto part = model::cpu_share(cpu, map.map->map->id.pid, samples);
    return part ? fmt::format("{:.1f}", *part * 100) : "-";
}

constexpr std::array<std::size_t, 9> widths{5, 5, 5, 5, 7, 8, 9, 7, 6};

std::string line(std::string_view map, std::size_t map_width, const std::array<std::string, 9>& cells) {
    std::string text = "  " + fit_left(map, map_width);
    for (std::size_t i = 0; i < cells.size(); ++i) text += ' ' + fit_right(cells[i], widths[i]);
    return text + '\n';
}

std::string map_line(const model::CpuReport& cpu, const Shown& map, std::size_t map_width) {
    const model::OpBlame& sum = map.sum;
    const auto seen = [&](std::string text) { return cpu.able.scheduler ? std::move(text) : std::string("-"); };
    return line(map.label, map_width,
                {share(cpu, map, sum.all()), share(cpu, map, sum.working()), share(cpu, map, sum.waiting()),
                 share(cpu, map, sum.growing()), seen(duration(static_cast<double>(sum.slept_ns))),
                 seen(duration(static_cast<double>(sum.lock_slept_ns))), seen(count(sum.preemptions)),
                 seen(count(sum.lock_preemptions)), seen(count(sum.migrations))});
}

std::string map_table(const model::CpuReport& cpu, const std::vector<Shown>& maps) {
    const std::size_t shown = std::min(maps.size(), most_maps);
    std::size_t width = narrowest_map;
    for (std::size_t i = 0; i < shown; ++i) width = std::max(width, display_width(maps[i].label));
    width = std::min(width, widest_map);
    std::string text = line("MAP(kind)", width,
                            {"CPU%", "WORK%", "WAIT%", "GROW%", "SLEPT", "FOR LOCK", "PREEMPTED", "HOLDING", "MOVED"});
    for (std::size_t i = 0; i < shown; ++i) text += map_line(cpu, maps[i], width);
    if (maps.size() > shown)
        text += fmt::format("  ... and {} with fewer samples\n", counted(maps.size() - shown, "more map", "more maps"));
    return text;
}

// "  users(go_map) lookup: 120 cycles, 85.0 instructions, 0.31 cache misses" for an operation on average.
std::string counters_text(const model::CpuReport& cpu, const std::vector<Shown>& maps) {
    std::string text;
    for (std::size_t i = 0; i < std::min(maps.size(), most_counted); ++i) {
        for (std::size_t op = 0; op < MAPAUDIT_HOT_OPS; ++op) {
            const std::uint64_t calls = maps[i].map->calls[op];
            std::string figures;
            for (std::size_t c = 0; calls != 0 && c < WIRE_COUNTERS; ++c) {
                if (!cpu.able.counters[c]) continue;
                const double each = static_cast<double>(maps[i].map->ops[op].events[c]) / static_cast<double>(calls);
                figures += fmt::format("{}{} {}", figures.empty() ? "" : ", ", each == 0 ? "0" : rate(each),
                                       model::counter_name(static_cast<wire_counter>(c)));
            }
            if (!figures.empty())
                text += fmt::format("  {} {}: {}\n", maps[i].label,
                                    model::op_name(model::op_of(static_cast<std::uint32_t>(op))), figures);
        }
    }
    return text.empty() ? text : "An operation on average, by samples of the processor's counters:\n" + text;
}

}  // namespace

std::string samples_line(const model::ProcessBlame& process) {
    return fmt::format("{} samples: {} in maps, {} elsewhere, {} not known, {} lost{}", process.samples,
                       process.in_maps, process.elsewhere, process.unknown, process.lost,
                       process.balances() ? "" : " - DOES NOT ADD UP");
}

std::string blame_text(const model::Report& total, const MapFilter& filter) {
    const model::CpuReport& cpu = total.cpu;
    if (cpu.able.clock.empty()) return {};
    const std::vector<Shown> maps = shown_maps(total, filter);
    std::string text = fmt::format("Where the CPU went (by {}):\n", cpu.able.clock);
    if (!maps.empty()) text += map_table(cpu, maps);
    for (const model::ProcessBlame& process : cpu.processes) {
        text += "  ";
        if (total.targets.size() > 1) text += fmt::format("pid {}: ", process.pid);
        text += samples_line(process) + '\n';
        if (process.off_cpu_lost != 0)
            text += fmt::format("  {} times asleep or preempted were not counted: the table was full\n",
                                process.off_cpu_lost);
    }
    return text + counters_text(cpu, maps);
}

}  // namespace mapaudit::output
