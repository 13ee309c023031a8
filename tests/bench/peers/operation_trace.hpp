// SPDX-License-Identifier: Apache-2.0
//
// LTTng-UST's tracepoints round an operation, in the variant of the measured program that has them; nothing in others.
#pragma once

#include <cstdint>

#ifdef MEASURED_LTTNG
#include "peers/lttng_events.h"
#endif

namespace mapaudit::bench {

#ifdef MEASURED_LTTNG
class OperationTrace {
public:
    OperationTrace(std::uint32_t map, std::uint8_t op) : map_(map), op_(op) {
        lttng_ust_tracepoint(mapaudit_bench, entry, map_, op_);
    }
    OperationTrace(const OperationTrace&) = delete;
    OperationTrace& operator=(const OperationTrace&) = delete;
    ~OperationTrace() { lttng_ust_tracepoint(mapaudit_bench, exit, map_, op_); }

private:
    std::uint32_t map_;
    std::uint8_t op_;
};
#else
struct OperationTrace {
    OperationTrace(std::uint32_t, std::uint8_t) {}
};
#endif

}  // namespace mapaudit::bench
