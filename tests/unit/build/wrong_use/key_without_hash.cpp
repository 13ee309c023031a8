// SPDX-License-Identifier: Apache-2.0
// says: name one as the map's third parameter where std::hash does not know the key
#include <mapaudit/sync_map.hpp>
namespace key_without_hash {
struct point {
    int x, y;
    bool operator==(const point&) const = default;
};
struct hash {
    std::size_t operator()(const point& p) const { return static_cast<std::size_t>(p.x ^ p.y); }
};
#ifdef RIGHT
void use() { mapaudit::sync_map<point, int, hash>().assign({1, 2}, 3); }
#else
void use() { mapaudit::sync_map<point, int>().assign({1, 2}, 3); }
#endif
}  // namespace key_without_hash
