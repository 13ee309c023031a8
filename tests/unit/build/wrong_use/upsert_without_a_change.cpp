// SPDX-License-Identifier: Apache-2.0
// says: update(key, f) and upsert(key, value, f) call f(value): f must be callable with the map's value by reference
#include <mapaudit/sharded_map.hpp>
namespace upsert_without_a_change {
void use(mapaudit::sharded_map<int, long>& map) {
#ifdef RIGHT
    map.upsert(1, 1, [](long& value) { ++value; });
#else
    map.upsert(1, 1, [] { return 1L; });
#endif
}
}  // namespace upsert_without_a_change
