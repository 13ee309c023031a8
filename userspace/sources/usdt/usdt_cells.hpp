// SPDX-License-Identifier: Apache-2.0
//
// Reads the kernel's cells: what each has gained since they were last read. The kernel never resets a count; this
// side keeps the previous reading and takes differences, so nothing is lost between reading and resetting.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "model/aggregator.hpp"
#include "sources/usdt/usdt_programs.hpp"

namespace mapaudit::sources {

// map 0 is "(other)": all maps of the domain that found no cell of their own.
struct CellOrigin {
    std::uint32_t domain = 0, map = 0, tid = 0, cpu = 0;
    mapaudit_op op = MAPAUDIT_OP_ASSIGN;
};

class CellReader {
public:
    // every_call_timed: at level full. Calls that another listener's sampled level had only counted are left out.
    CellReader(const UsdtPrograms& programs, bool every_call_timed);

    // Calls gained(origin, counts) for every cell that has changed. Units are ticks, for grow ns; ns_per_unit is
    // left 1.
    void read(const std::function<void(const CellOrigin&, model::Counts&)>& gained);

private:
    // What was read of a cell before.
    struct Before {
        wire_cell cell{};
        std::int64_t owed[MAPAUDIT_OPS] = {};
    };
    bool read_op(const wire_cell& now, Before& before, mapaudit_op op, model::Counts& counts);
    void read_cell(std::uint32_t cell, CellOrigin origin,
                   const std::function<void(const CellOrigin&, model::Counts&)>& gained);
    void read_pages(const __u32 (&octaves)[MAPAUDIT_OCTAVES], model::Histogram& into);

    const UsdtPrograms& programs_;
    bool every_call_timed_;
    std::vector<std::unique_ptr<Before>> before_;  // by lane and cell; null: never seen to change
    std::vector<wire_page> pages_before_;
};

}  // namespace mapaudit::sources
