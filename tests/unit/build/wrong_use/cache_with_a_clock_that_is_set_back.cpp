// SPDX-License-Identifier: Apache-2.0
// says: a clock that is set back would bring back what has expired
#include <mapaudit/cache_map.hpp>
namespace cache_with_a_clock_that_is_set_back {
#ifdef RIGHT
using clock = std::chrono::steady_clock;
#else
using clock = std::chrono::system_clock;
#endif
void use() { mapaudit::cache_map<int, int, std::hash<int>, std::equal_to<int>, clock>().assign(1, 2); }
}  // namespace cache_with_a_clock_that_is_set_back
