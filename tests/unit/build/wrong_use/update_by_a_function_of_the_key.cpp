// SPDX-License-Identifier: Apache-2.0
// says: update(key, f) and upsert(key, value, f) call f(value): f must be callable with the map's value by reference
#include <mapaudit/rwlock_map.hpp>
namespace update_by_a_function_of_the_key {
void use(mapaudit::rwlock_map<int, long>& map) {
#ifdef RIGHT
    map.update(1, [](long& value) { ++value; });
#else
    map.update(1, [](int, long& value) { ++value; });
#endif
}
}  // namespace update_by_a_function_of_the_key
