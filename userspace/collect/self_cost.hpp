// SPDX-License-Identifier: Apache-2.0
//
// What this process itself uses: CPU since the last look, resident memory.
#pragma once

#include <chrono>
#include <cstdint>

#include "model/report.hpp"

namespace mapaudit::collect {

class SelfMeter {
public:
    SelfMeter();
    // CPU share of one core since the last call, and the memory resident now.
    model::SelfCost lap();
    // CPU share since this meter was made.
    model::SelfCost total() const;

private:
    struct Reading {
        std::chrono::steady_clock::time_point time;
        double cpu_s = 0;
    };
    static Reading read();
    static model::SelfCost between(const Reading& from, const Reading& to);
    Reading start_, last_;
};

}  // namespace mapaudit::collect
