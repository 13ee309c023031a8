// SPDX-License-Identifier: Apache-2.0
// says: no member named 'begin'
#include <mapaudit/sharded_map.hpp>
namespace iterator_kept_across_calls {
long use(mapaudit::sharded_map<int, long>& map) {
    long sum = 0;
#ifdef RIGHT
    map.for_each([&sum](int, long value) { sum += value; });
#else
    auto at = map.begin();
    map.erase(1);
    sum += at->second;
#endif
    return sum;
}
}  // namespace iterator_kept_across_calls
