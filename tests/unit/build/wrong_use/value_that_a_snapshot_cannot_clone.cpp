// SPDX-License-Identifier: Apache-2.0
// says: snapshot_map's writers clone what they change: the value must be copy constructible
#include <mapaudit/snapshot_map.hpp>
#include <memory>
namespace value_that_a_snapshot_cannot_clone {
#ifdef RIGHT
using value = std::shared_ptr<int>;
#else
using value = std::unique_ptr<int>;
#endif
void use() { mapaudit::snapshot_map<int, value>().assign(1, value()); }
}  // namespace value_that_a_snapshot_cannot_clone
