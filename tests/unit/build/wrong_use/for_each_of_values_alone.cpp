// SPDX-License-Identifier: Apache-2.0
// says: for_each(f) calls f(key, value): f must be callable with the map's key and value, both const
#include <mapaudit/cache_map.hpp>
namespace for_each_of_values_alone {
void use(const mapaudit::cache_map<int, long>& map) {
#ifdef RIGHT
    map.for_each([](int, long) {});
#else
    map.for_each([](long) {});
#endif
}
}  // namespace for_each_of_values_alone
