// SPDX-License-Identifier: Apache-2.0
//
// A map whose overflow buckets pile up: keys of one group after another all collide, and are erased again. What stays
// are empty overflow buckets, Go's reason for a growth that adds no bucket. Prints its growths and its bucket count.
#include <mapaudit/mutex_map.hpp>

#include <cstdio>

#include "await_auditor.hpp"

namespace {

constexpr long group_size = 2000;
struct group_hash {
    std::size_t operator()(long key) const noexcept { return static_cast<std::size_t>(key / group_size); }
};

}  // namespace

int main() {
    mapaudit::mutex_map<long, long, group_hash> map("repacked");
    mapaudit::test::await_auditor();
    for (long group = 0; group < 20; ++group) {
        for (long i = 0; i < group_size; ++i) map.assign(group * group_size + i, i);
        for (long i = 0; i < group_size; ++i) map.erase(group * group_size + i);
    }
    std::printf("%lu %lu\n", static_cast<unsigned long>(map.grows()), static_cast<unsigned long>(map.bucket_count()));
    return 0;
}
