// SPDX-License-Identifier: Apache-2.0
// says: visit(key, f) calls f(value): f must be callable with the map's value as const (update changes it)
#include <mapaudit/operation_map.hpp>
namespace visit_that_changes {
void use(mapaudit::operation_map<int, long>& map) {
#ifdef RIGHT
    map.visit(1, [](const long&) {});
#else
    map.visit(1, [](long& value) { ++value; });
#endif
}
}  // namespace visit_that_changes
