// SPDX-License-Identifier: Apache-2.0
// says: a map's key must be copy constructible: assign() copies it
#include <mapaudit/go_map.hpp>
#include <memory>
namespace key_that_cannot_be_copied {
#ifdef RIGHT
using key = std::shared_ptr<int>;
#else
using key = std::unique_ptr<int>;
#endif
void use() { mapaudit::go_map<key, int>().assign(key(), 3); }
}  // namespace key_that_cannot_be_copied
