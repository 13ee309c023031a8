// SPDX-License-Identifier: Apache-2.0
// says: tophash_map's upsert works on a copy: the value must be copy constructible
#include <mapaudit/tophash_map.hpp>
#include <memory>
namespace upsert_of_a_value_that_cannot_be_copied {
#ifdef RIGHT
using value = std::shared_ptr<int>;
#else
using value = std::unique_ptr<int>;
#endif
void use(mapaudit::tophash_map<int, value>& map) {
    map.upsert(1, nullptr, [](value& v) { v = nullptr; });
}
}  // namespace upsert_of_a_value_that_cannot_be_copied
