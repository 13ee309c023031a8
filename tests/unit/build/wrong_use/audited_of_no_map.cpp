// SPDX-License-Identifier: Apache-2.0
// says: audited<Map> wraps a map with the standard's interface
#include <map>
#include <mapaudit/audited.hpp>
#include <mapaudit/mutex_map.hpp>
namespace audited_of_no_map {
#ifdef RIGHT
mapaudit::audited<std::map<int, int>> map;
#else
mapaudit::audited<mapaudit::mutex_map<int, int>> map;
#endif
}  // namespace audited_of_no_map
