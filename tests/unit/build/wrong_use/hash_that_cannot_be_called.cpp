// SPDX-License-Identifier: Apache-2.0
// says: Hash must be callable as size_t(const K&)
#include <mapaudit/sharded_map.hpp>
#include <string>
namespace hash_that_cannot_be_called {
struct hash {
#ifdef RIGHT
    std::size_t operator()(const std::string& key) const { return key.size(); }
#else
    std::size_t operator()(std::string& key) { return key.size(); }
#endif
};
void use() { mapaudit::sharded_map<std::string, int, hash>().assign("key", 3); }
}  // namespace hash_that_cannot_be_called
