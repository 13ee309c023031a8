// SPDX-License-Identifier: Apache-2.0
// says: sync_map's update works on a copy: the value must be copy constructible
#include <mapaudit/sync_map.hpp>
#include <memory>
namespace update_of_a_value_that_cannot_be_copied {
#ifdef RIGHT
using value = std::shared_ptr<int>;
#else
using value = std::unique_ptr<int>;
#endif
void use(mapaudit::sync_map<int, value>& map) {
    map.update(1, [](value& v) { v = nullptr; });
}
}  // namespace update_of_a_value_that_cannot_be_copied
