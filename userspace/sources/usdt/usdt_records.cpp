// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_records.hpp"

#include <algorithm>

namespace mapaudit::sources {
namespace {

bool is_well_formed(const mapaudit_record& record) {
    return record.op < MAPAUDIT_HOT_OPS && record.bucket < MAPAUDIT_BUCKETS && record.map != 0;
}

int scale_of(const mapaudit_record& record) {
    return (record.flags & MAPAUDIT_REC_SCALED) != 0 ? MAPAUDIT_SCALED_SHIFT : 0;
}

void add_wait(const mapaudit_record& record, model::Counts& counts) {
    const std::uint64_t wait = std::uint64_t{record.wait} << scale_of(record);
    if (wait == 0) return;
    ++counts.waits;
    counts.wait_sum += wait;
    counts.wait.add(wait);
}

void add_timed(const mapaudit_record& record, model::Counts& counts) {
    const std::uint64_t latency = std::uint64_t{record.latency} << scale_of(record);
    counts.latency.add_bucket(record.bucket, 1);
    counts.latency_sum += latency;
    counts.latency_max = std::max(counts.latency_max, latency);
    if ((record.flags & MAPAUDIT_REC_SAMPLED) == 0) ++counts.calls;
    if ((record.flags & MAPAUDIT_REC_MIGRATED) != 0) ++counts.migrations;
    add_wait(record, counts);
    if ((record.flags & MAPAUDIT_REC_GREW) != 0) {
        counts.grew.add_bucket(record.bucket, 1);
        counts.grew_sum += latency;
    }
}

}  // namespace

RecordSums sum_records(std::span<const mapaudit_record> records) {
    RecordSums sums;
    for (const mapaudit_record& record : records) {
        if (!is_well_formed(record)) {
            ++sums.malformed;
            continue;
        }
        RecordSums::Op& op = sums.ops[{record.map, record.op}];
        if ((record.flags & MAPAUDIT_REC_COUNT) != 0) {
            op.counted += record.latency;
            add_wait(record, op.counts);
        } else {
            add_timed(record, op.counts);
        }
    }
    return sums;
}

}  // namespace mapaudit::sources
