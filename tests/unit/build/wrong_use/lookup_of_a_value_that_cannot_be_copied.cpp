// SPDX-License-Identifier: Apache-2.0
// says: copy_constructible
#include <mapaudit/mutex_map.hpp>
#include <memory>
namespace lookup_of_a_value_that_cannot_be_copied {
bool use(const mapaudit::mutex_map<int, std::unique_ptr<int>>& map) {
#ifdef RIGHT
    return map.visit(1, [](const std::unique_ptr<int>&) {});
#else
    return map.lookup(1).has_value();
#endif
}
}  // namespace lookup_of_a_value_that_cannot_be_copied
