// SPDX-License-Identifier: Apache-2.0
// says: cas_map overwrites values in place while others read them: the value must be trivially copyable
#include <mapaudit/cas_map.hpp>
#include <string>
namespace value_that_cas_map_cannot_hold {
#ifdef RIGHT
using value = double;
#else
using value = std::string;
#endif
void use() { mapaudit::cas_map<int, value>().assign(1, value()); }
}  // namespace value_that_cas_map_cannot_hold
