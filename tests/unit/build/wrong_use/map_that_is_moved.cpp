// SPDX-License-Identifier: Apache-2.0
// says: deleted
#include <mapaudit/mutex_map.hpp>
#include <memory>
#include <utility>
namespace map_that_is_moved {
using map = mapaudit::mutex_map<int, long>;
#ifdef RIGHT
std::unique_ptr<map> use(std::unique_ptr<map> from) { return from; }
#else
map use(map& from) { return std::move(from); }
#endif
}  // namespace map_that_is_moved
