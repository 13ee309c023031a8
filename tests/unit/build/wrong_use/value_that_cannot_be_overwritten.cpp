// SPDX-License-Identifier: Apache-2.0
// says: a map's value must be move constructible and move assignable
#include <mapaudit/mutex_map.hpp>
namespace value_that_cannot_be_overwritten {
#ifdef RIGHT
struct value {
    int number;
};
#else
struct value {
    const int number;
};
#endif
void use() { mapaudit::mutex_map<int, value>().assign(1, value{2}); }
}  // namespace value_that_cannot_be_overwritten
