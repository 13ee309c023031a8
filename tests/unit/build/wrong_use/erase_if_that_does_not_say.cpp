// SPDX-License-Identifier: Apache-2.0
// says: erase_if(key, f) calls f(value): f must be callable with the map's value as const, and return
#include <mapaudit/cas_map.hpp>
namespace erase_if_that_does_not_say {
void use(mapaudit::cas_map<int, long>& map) {
#ifdef RIGHT
    map.erase_if(1, [](const long& value) { return value == 0; });
#else
    map.erase_if(1, [](const long&) {});
#endif
}
}  // namespace erase_if_that_does_not_say
