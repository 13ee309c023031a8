// SPDX-License-Identifier: Apache-2.0
// says: give the key an operator==
#include <mapaudit/mutex_map.hpp>
namespace key_without_equality {
struct point {
    int x, y;
#ifdef RIGHT
    bool operator==(const point&) const = default;
#endif
};
struct hash {
    std::size_t operator()(const point& p) const { return static_cast<std::size_t>(p.x ^ p.y); }
};
void use() { mapaudit::mutex_map<point, int, hash>().assign({1, 2}, 3); }
}  // namespace key_without_equality
