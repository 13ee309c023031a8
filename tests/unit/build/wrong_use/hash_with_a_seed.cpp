// SPDX-License-Identifier: Apache-2.0
// says: Hash and Equal must be default constructible: a map makes its own
#include <mapaudit/cas_map.hpp>
namespace hash_with_a_seed {
struct hash {
    explicit hash(std::size_t s) : seed(s) {}
#ifdef RIGHT
    hash() = default;
#endif
    std::size_t operator()(int key) const { return static_cast<std::size_t>(key) ^ seed; }
    std::size_t seed = 7;
};
void use() { mapaudit::cas_map<int, int, hash>().assign(1, 3); }
}  // namespace hash_with_a_seed
