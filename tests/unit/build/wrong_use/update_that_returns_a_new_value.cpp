// SPDX-License-Identifier: Apache-2.0
// says: update(key, f) and upsert(key, value, f): f must return nothing, or bool, whether it changed the value
#include <mapaudit/tophash_map.hpp>
namespace update_that_returns_a_new_value {
void use(mapaudit::tophash_map<int, long>& map) {
#ifdef RIGHT
    map.update(1, [](long& value) { value = value + 1; });
#else
    map.update(1, [](long value) { return value + 1; });
#endif
}
}  // namespace update_that_returns_a_new_value
