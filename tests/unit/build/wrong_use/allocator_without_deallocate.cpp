// SPDX-License-Identifier: Apache-2.0
// says: a map's allocator must have value_type, allocate(n) that returns a plain pointer, and deallocate(pointer, n)
#include <mapaudit/mutex_map.hpp>
namespace allocator_without_deallocate {
template <class T>
struct bump {
    using value_type = T;
    bump() = default;
    template <class U>
    bump(const bump<U>&) noexcept {}
    T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
#ifdef RIGHT
    void deallocate(T* memory, std::size_t count) { std::allocator<T>().deallocate(memory, count); }
#endif
};
void use() { mapaudit::mutex_map<int, int, std::hash<int>, std::equal_to<int>, bump<int>>().assign(1, 2); }
}  // namespace allocator_without_deallocate
