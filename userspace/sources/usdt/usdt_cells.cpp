// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_cells.hpp"

#include <algorithm>

namespace mapaudit::sources {
namespace {

// The kernel writes these words while they are read; each is read once.
std::uint64_t load(const __u64& word) { return __atomic_load_n(&word, __ATOMIC_RELAXED); }
std::uint32_t load(const __u32& word) { return __atomic_load_n(&word, __ATOMIC_RELAXED); }

// Sums that are read alike: what a cell has of them, and where its gain goes. The one list of them; the other fields
// of a cell each have a rule of their own in read_op().
struct Sum {
    __u64 wire_cell_op::*in_cell;
    std::uint64_t model::Counts::*in_counts;
};
constexpr Sum sums[] = {
    {&wire_cell_op::latency_sum, &model::Counts::latency_sum},
    {&wire_cell_op::waits, &model::Counts::waits},
    {&wire_cell_op::wait_sum, &model::Counts::wait_sum},
    {&wire_cell_op::migrations, &model::Counts::migrations},
    {&wire_cell_op::lost, &model::Counts::lost},
    {&wire_cell_op::conflicts, &model::Counts::conflicts},
    {&wire_cell_op::grew_sum, &model::Counts::grew_sum},
};

// Has anything but the histograms changed? Every record that is counted changes one of these.
bool same(const wire_cell_op& a, const wire_cell_op& b) {
    if (load(a.counted) != b.counted || load(a.sampled) != b.sampled) return false;
    return std::ranges::all_of(sums, [&](const Sum& sum) { return load(a.*sum.in_cell) == b.*sum.in_cell; });
}

std::uint64_t gain(const __u64& now, __u64& before) {
    const std::uint64_t value = load(now);
    const std::uint64_t difference = value - before;
    before = value;
    return difference;
}

}  // namespace

CellReader::CellReader(const UsdtPrograms& programs, bool every_call_timed)
    : programs_(programs),
      every_call_timed_(every_call_timed),
      before_(std::size_t{programs.sizes().lanes} * programs.sizes().cells) {}

void CellReader::read_pages(const __u32 (&octaves)[MAPAUDIT_OCTAVES], model::Histogram& into) {
    for (std::uint32_t octave = 0; octave < MAPAUDIT_OCTAVES; ++octave) {
        const std::uint32_t index = load(octaves[octave]);
        if (index == 0 || index >= programs_.sizes().pages) continue;
        if (index >= pages_before_.size()) pages_before_.resize(index + 1 + index / 4);
        const wire_page& now = programs_.pages[index];
        wire_page& before = pages_before_[index];
        for (std::uint32_t i = 0; i < MAPAUDIT_SUB_BUCKETS; ++i) {
            const std::uint32_t value = load(now.count[i]);
            const std::uint32_t difference = value - before.count[i];
            before.count[i] = value;
            if (difference != 0) into.add_bucket(octave * MAPAUDIT_SUB_BUCKETS + i, difference);
        }
    }
}

bool CellReader::read_op(const wire_cell& now_cell, Before& before_cell, mapaudit_op op, model::Counts& counts) {
    const wire_cell_op& now = now_cell.op[op];
    wire_cell_op& before = before_cell.cell.op[op];
    if (same(now, before)) return false;
    const std::uint64_t counted = gain(now.counted, before.counted);
    for (const Sum& sum : sums) counts.*sum.in_counts = gain(now.*sum.in_cell, before.*sum.in_cell);
    const std::uint64_t max = load(now.latency_max);
    if (max > before.latency_max) counts.latency_max = before.latency_max = max;
    if (op == MAPAUDIT_OP_GROW) {
        const auto grown = static_cast<std::int64_t>(__atomic_load_n(&now.buckets_grown, __ATOMIC_RELAXED));
        counts.buckets_grown = grown - before.buckets_grown;
        before.buckets_grown = grown;
    }
    read_pages(now.latency_page, counts.latency);
    if (const std::uint32_t extra = load(now.extra); extra != 0 && extra < programs_.sizes().extras) {
        read_pages(programs_.extras[extra].wait_page, counts.wait);
        read_pages(programs_.extras[extra].grew_page, counts.grew);
    }
    counts.calls = counts.latency.count();
    // The kernel counts a call as sampled before it counts its time. Read in the opposite order, a call that is under
    // way can only make the sum too small, and the next reading makes up for it.
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    const std::uint64_t sampled = gain(now.sampled, before.sampled);
    if (!every_call_timed_) {
        std::int64_t& owed = before_cell.owed[op];
        const std::int64_t calls =
            static_cast<std::int64_t>(counts.calls + counted) - static_cast<std::int64_t>(sampled) + owed;
        owed = std::min<std::int64_t>(calls, 0);
        counts.calls = static_cast<std::uint64_t>(std::max<std::int64_t>(calls, 0));
    }
    if (op == MAPAUDIT_OP_GROW) counts.grows = counts.calls;
    return true;
}

void CellReader::read_cell(std::uint32_t cell, CellOrigin origin,
                           const std::function<void(const CellOrigin&, model::Counts&)>& gained) {
    static const wire_cell untouched{};
    const ProgramSizes& sizes = programs_.sizes();
    for (origin.cpu = 0; origin.cpu < sizes.lanes; ++origin.cpu) {
        const std::size_t at = std::size_t{origin.cpu} * sizes.cells + cell;
        const wire_cell& now = programs_.cells[at];
        for (int op = 0; op < MAPAUDIT_OPS; ++op) {
            if (before_[at] == nullptr && same(now.op[op], untouched.op[op])) continue;
            if (before_[at] == nullptr) before_[at] = std::make_unique<Before>();
            origin.op = static_cast<mapaudit_op>(op);
            model::Counts counts;
            if (read_op(now, *before_[at], origin.op, counts)) gained(origin, counts);
        }
    }
}

void CellReader::read(const std::function<void(const CellOrigin&, model::Counts&)>& gained) {
    const ProgramSizes& sizes = programs_.sizes();
    CellOrigin origin;
    for (origin.domain = 0; origin.domain < sizes.others; ++origin.domain) read_cell(origin.domain, origin, gained);
    for (std::uint32_t s = 0; s < programs_.slots.size(); ++s) {
        const std::uint64_t key = load(programs_.slots[s].key);
        const std::uint32_t cell = load(programs_.slots[s].cell);
        if (key == 0 || cell < sizes.others || cell >= sizes.cells) continue;
        origin.map = static_cast<std::uint32_t>(key);
        origin.domain = key >> 32 & 63u;
        origin.tid = key >> 38 & 0x3fffffu;
        read_cell(cell, origin, gained);
    }
}

}  // namespace mapaudit::sources
